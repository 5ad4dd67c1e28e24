"""Packets over HTTP in, outcomes out: `python -m serve_apps.run serve_apps/local.yaml`.

    HTTP ─ Ingress ── bodies ──> Router ── sequences ──> first-detection, temporal-2 .. temporal-5
           limits, JSON          histories, store,       inputs, network; each follows its alias
                                 the model for each
                                    └ after the answer ─> first-detection-challenger, ...: in shadow (`shadow`)

Each arrow is batched: what waits while a call is on its way travels together in the next, so a lone packet goes at once
and many share the cost of a hop. A question to a model changes nothing and what the store is told twice it knows once,
so a call whose replica died is made again.
"""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from serve_apps.ingress import Ingress, IngressSettings
from serve_apps.model_server import ModelServer
from serve_apps.named import made_absolute
from serve_apps.router import Router, RouterSettings
from serve_apps.shadow import Challenger, ChallengerSettings, ShadowSettings, challenger_of
from skystamp import routing
from skystamp.api.receiving import Limits


class Args(BaseModel):
    """Settings of the application, `args` in its YAML file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)  # which may be a URL with a password

    models: dict[str, str] = Field(
        default={routing.FIRST_DETECTION: f"{routing.FIRST_DETECTION}@champion"},
        description="For each model that is served: NAME@ALIAS, NAME/VERSION or a bundle's folder.",
    )
    tracking_uri: str | None = Field(
        default=None, description="Of MLflow; by default MLFLOW_TRACKING_URI, else .skystamp/mlflow.db of this folder."
    )
    store: str | None = Field(
        default=None,
        repr=False,
        description="Where detections and outcomes are remembered: sqlite:///FILE, postgresql://..., or env:NAME of a "
        "variable that holds either; without one, a body is all that is known of its objects.",
    )
    catalogue: str | None = Field(
        default=None, description="AllWISE in HATS layout, a folder or URL, that temporal models read."
    )
    follow_s: float = Field(default=30.0, ge=0, description="Seconds between two looks at an alias; 0 never looks.")
    shadow: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of the alerts that a `challenger` scores too, stored and never answered; needs a store.",
    )
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
    max_waiting_requests: int = Field(
        default=256, ge=1, le=500, description="Requests with a body in hand of one ingress replica; 503 over it."
    )
    body_timeout_s: float = Field(default=30.0, gt=0, description="Seconds until a body has to be here; 408 after it.")
    timeout_s: float = Field(default=60.0, gt=0, description="Seconds until a request is answered 504.")
    tokens: str | None = Field(
        default=None,
        description="File of tokens (`skystamp tokens`); without one, anybody who reaches the service may classify "
        "and read, and only this machine may change anything.",
    )


def build(args: Args) -> serve.Application:
    """Return the application: an ingress before a router before one deployment a model."""
    unknown = sorted(set(args.models) - set(routing.MODEL_FOR.values()))
    if unknown or routing.FIRST_DETECTION not in args.models:
        names = ", ".join(routing.MODEL_FOR.values())
        raise ValueError(f"models should be of {names}, the first among them. Received: {sorted(args.models)}")
    args = args.model_copy(update={"store": made_absolute(args.store)}) if args.store else args
    uri = tracking_uri(args.tracking_uri)
    served = {
        name: ModelServer.options(name=name).bind(
            name, reference, uri, args.follow_s, args.batch, args.threads, args.catalogue
        )
        for name, reference in args.models.items()
    }
    settings = RouterSettings(args.batch, args.max_packets, args.max_unpacked_bytes, args.store, args.timeout_s)
    router = Router.bind(served, settings, _challengers(args, uri), ShadowSettings(args.shadow, args.follow_s or 30.0))
    limits = Limits(
        args.max_body_bytes,
        args.max_unpacked_bytes,
        args.max_packets,
        args.max_waiting_bytes,
        args.max_waiting_requests,
        args.body_timeout_s,
    )
    tokens = str(Path(args.tokens).absolute()) if args.tokens else None
    return Ingress.bind(router, IngressSettings(limits, args.timeout_s, tokens))


def _challengers(args: Args, uri: str) -> dict[str, serve.Application]:
    """Return a deployment for the challenger of each model that can have one; none where nothing is remembered."""
    if not args.store or not args.shadow:
        return {}
    references = {name: challenger_of(reference) for name, reference in args.models.items()}
    first, names = args.models[routing.FIRST_DETECTION], tuple(args.models)
    return {
        name: Challenger.options(name=f"{name}-challenger").bind(
            ChallengerSettings(
                name, reference, args.models[name], first, names, uri, args.store, args.catalogue, args.follow_s
            )
        )
        for name, reference in references.items()
        if reference
    }


def tracking_uri(given: str | None) -> str:
    """Return the address of MLflow: as given, else as the environment says, else this folder's."""
    from skystamp import tracking

    return given or os.environ.get("MLFLOW_TRACKING_URI") or tracking.default_uri()
