"""`skystamp explain`: a packet and a model -> what each pixel and each number added to the answer."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from skystamp.errors import Reject, UsageError

if TYPE_CHECKING:
    from skystamp.alert import Alert
    from skystamp.explanation import Explanation

_console = Console(highlight=False)
_SHOWN = 10  # numbers


def explain(
    packets: Annotated[list[str], typer.Argument(help="Avro files, archives or folders with the packet in question.")],
    model: Annotated[str, typer.Option(help="NAME@ALIAS, NAME/VERSION, or a bundle's folder.")],
    alert: Annotated[int | None, typer.Option(help="Its alert id (candid); by default the latest packet.")] = None,
    of: Annotated[
        str | None, typer.Option("--class", help="The class to explain; the most probable by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="PNG file for the picture.")] = None,
    arrays: Annotated[Path | None, typer.Option(help="NPZ file for the maps and everything else as arrays.")] = None,
    steps: Annotated[int, typer.Option(help="Points of the integral; more leave less unexplained.", min=1)] = 128,
    catalogue: Annotated[str, typer.Option(help="AllWISE in HATS layout, that temporal models read.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
) -> None:
    """Explain one answer: what each pixel and each number added to the probability of a class.

    By integrated gradients and by occlusion, from a baseline of stamps without any source and average numbers. A
    temporal model reads the packet's object: give the packets of its earlier detections too.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if out is not None and out.suffix != ".png":
        raise UsageError(f"--out should end in .png. Received: {out}")
    if arrays is not None and arrays.suffix != ".npz":
        raise UsageError(f"--arrays should end in .npz. Received: {arrays}")
    found = _alerts(packets)
    wanted = max(found, key=lambda each: each.mjd).alert_id if alert is None else alert
    from skystamp import crossmatch, explanation, tracking

    chosen = tracking.load(model, tracking_uri or tracking.default_uri())
    matcher = crossmatch.open_catalogue(catalogue) if catalogue else None
    try:
        raw, read = explanation.subject(found, wanted, chosen.bundle.spec, matcher)
    except Reject as reject:
        raise UsageError(f"the alert {wanted} should have readable stamps. Received: {reject}") from reject
    why = explanation.explain(chosen.bundle, raw, of, steps=steps)
    about = {
        "object_id": read[-1].object_id,
        "alert_ids": [each.alert_id for each in read],
        "model": f"{chosen.name} {chosen.version}",
    }
    if out is not None:
        out.write_bytes(explanation.png(why, title=f"{read[-1].object_id}, {about['model']}"))
    if arrays is not None:
        import numpy as np

        parts: dict[str, Any] = why.arrays()
        np.savez_compressed(arrays, **parts)
    if as_json:
        typer.echo(json.dumps({**about, **why.summary()}, indent=1))
    else:
        _show(why, f"{about['object_id']}, {about['model']}")


def _alerts(paths: list[str]) -> "list[Alert]":
    """Return the alerts of all packets, in order; what is no alert is left out, and none at all is wrong use."""
    from skystamp import sources
    from skystamp.alert import Alert
    from skystamp.classify import alerts

    items = [item for source in sources.find(paths).sources for item in sources.records(source)]
    found = [each for each in alerts(items) if isinstance(each, Alert)]
    if not found:
        raise UsageError(f"there should be an alert to explain. Received: {len(items)} packets, none of them readable")
    return found


def _show(why: "Explanation", title: str) -> None:
    """Print the answer, what the stamps added, and the strongest numbers."""
    _console.print(f"{title}: {why.label} {why.probability:.3f}; the baseline has {why.baseline_probability:.3f}")
    several = len(why.summary()["stamps"]) > len(why.bands)
    bands = ", ".join(
        f"{each['band']}{each['detection'] if several else ''} {each['integrated_gradient']:+.3f}"
        for each in why.summary()["stamps"]
    )
    if bands:
        _console.print(f"Stamps added (integrated gradients): {bands}")
    table = Table(title=f"Numbers that matter most, added to the probability of {why.label}", title_justify="left")
    for name in ("number", "detection", "value", "integrated gradients", "occlusion"):
        table.add_column(name, justify="left" if name == "number" else "right")
    for one in why.numbers[:_SHOWN]:
        detection = "" if one.detection is None else str(one.detection)
        table.add_row(
            one.name, detection, f"{one.value:.4g}", f"{one.integrated_gradient:+.3f}", f"{one.occlusion:+.3f}"
        )
    _console.print(table)
    _console.print(f"Left unexplained by the integral: {why.gap:+.4f}")
