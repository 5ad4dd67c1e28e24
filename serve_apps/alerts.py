"""Packets over HTTP in, outcomes out: `serve run serve_apps/local.yaml`.

    HTTP ─ Ingress ── bodies ──> Router ── sequences ──> first-detection, temporal-2 .. temporal-5
           limits, JSON          histories, store,       inputs, network; each follows its alias
                                 the model for each

Each arrow is batched: what waits while a call is on its way travels together in the next, so a lone packet goes at once
and many share the cost of a hop. A question to a model changes nothing and what the store is told twice it knows once,
so a call whose replica died is made again.
"""

import os

from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from serve_apps.ingress import Ingress, Limits
from serve_apps.model_server import ModelServer
from serve_apps.router import Router, RouterSettings
from skystamp import routing


class Args(BaseModel):
    """Settings of the application, `args` in its YAML file."""

    model_config = ConfigDict(extra="forbid")

    models: dict[str, str] = Field(
        default={routing.FIRST_DETECTION: f"{routing.FIRST_DETECTION}@champion"},
        description="For each model that is served: NAME@ALIAS, NAME/VERSION or a bundle's folder.",
    )
    tracking_uri: str | None = Field(
        default=None, description="Of MLflow; by default MLFLOW_TRACKING_URI, else .skystamp/mlflow.db of this folder."
    )
    store: str | None = Field(
        default=None,
        description="Where detections and outcomes are remembered: sqlite:///FILE or postgresql://...; without one, "
        "a body is all that is known of its objects.",
    )
    catalogue: str | None = Field(
        default=None, description="AllWISE in HATS layout, a folder or URL, that temporal models read."
    )
    follow_s: float = Field(default=30, ge=0, description="Seconds between two looks at an alias; 0 never looks.")
    batch: int = Field(default=64, ge=1, description="Alerts through a model at once, at most.")
    threads: int = Field(default=2, ge=1, description="CPU threads of a model's network.")
    max_body_bytes: int = Field(default=64 << 20, ge=1, description="Of a body as it travels; 413 over it.")
    max_unpacked_bytes: int = Field(default=128 << 20, ge=1, description="Of a body after gzip; 413 over it.")
    max_packets: int = Field(default=10_000, ge=1, description="In one body; 413 over it.")
    max_waiting_bytes: int = Field(
        default=512 << 20,
        ge=1,
        description="Of all bodies in hand of one ingress replica; 503 over it.",
    )
    timeout_s: float = Field(default=60, gt=0, description="Seconds until a request is answered 504.")


def build(args: Args) -> serve.Application:
    """Return the application: an ingress before a router before one deployment a model."""
    unknown = sorted(set(args.models) - set(routing.MODEL_FOR.values()))
    if unknown or routing.FIRST_DETECTION not in args.models:
        names = ", ".join(routing.MODEL_FOR.values())
        raise ValueError(f"models should be of {names}, the first among them. Received: {sorted(args.models)}")
    uri = args.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or _default_uri()
    served = {
        name: ModelServer.options(name=name).bind(
            reference, uri, args.follow_s, args.batch, args.threads, args.catalogue
        )
        for name, reference in args.models.items()
    }
    settings = RouterSettings(args.batch, args.max_packets, args.max_unpacked_bytes, args.store)
    router = Router.bind(served, settings)
    limits = Limits(args.max_body_bytes, args.max_unpacked_bytes, args.max_waiting_bytes, args.timeout_s)
    return Ingress.bind(router, limits)


def _default_uri() -> str:
    from skystamp import tracking

    return tracking.default_uri()
