"""`skystamp prepare`: a data set's recipe and its packets -> a folder of training shards."""

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.manifest import DatasetManifest

_console = Console(highlight=False)


def prepare(
    name: Annotated[str, typer.Argument(help="A recipe: a folder of --recipes, as synthetic or labelled_ztf.")],
    out: Annotated[Path, typer.Option(help="Folder for the training shards; should be empty.")],
    packets: Annotated[
        list[str] | None,
        typer.Option("--from", help="Alert files, archives or folders, also URLs; give it once for each."),
    ] = None,
    labels: Annotated[str, typer.Option(help="Label table, CSV or Parquet; default: the recipe's, beside them.")] = "",
    recipes: Annotated[Path, typer.Option(help="Folder of recipes.")] = Path("datasets"),
    validation: Annotated[int | None, typer.Option(help="Objects a class for validation.", min=1)] = None,
    test: Annotated[int | None, typer.Option(help="Objects a class for test.", min=1)] = None,
    quality: Annotated[
        list[str] | None,
        typer.Option(help="Label qualities to keep of a class, as SN=strong,medium; SN= keeps all. Once for each."),
    ] = None,
    catalogue: Annotated[
        str, typer.Option(help="AllWISE or the like in HATS layout, a folder or URL, to look up each object in.")
    ] = "",
    objects: Annotated[int | None, typer.Option(help="Objects to simulate (synthetic, no --from).", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulation.", min=0)] = None,
    workers: Annotated[int | None, typer.Option(help="Cores of a local cluster. Default: all.", min=1)] = None,
    address: Annotated[str | None, typer.Option(envvar="RAY_ADDRESS", help="A running Ray cluster.")] = None,
) -> None:
    """Prepare training data: decode, reject, label, split by object.

    Streams any amount of alerts through decode, reject and inputs into Parquet shards, split by object into train,
    validation and test, each object's alerts together in time order, with the rejections and their counts beside them.
    """
    from skystamp.cluster import environment

    environment.apply(local=address is None)
    from skystamp import manifest

    recipe = changed(manifest.read(recipes / name / "manifest.toml"), validation, test, quality or [])
    if not packets and not recipe.simulation:
        raise UsageError(f"the data set {recipe.name} needs its packets: give their files or folder by --from")
    from skystamp.cluster import session

    with session.connected(address, cpus=workers):
        packets = packets or [str(simulated(recipe, out / "packets", objects, seed))]
        _prepare(recipe, packets, labels or beside(recipe, packets[0]), out, catalogue or None)


def _prepare(recipe: "DatasetManifest", packets: list[str], labels: str, out: Path, catalogue: str | None) -> None:
    from skystamp import manifest, sources
    from skystamp.cluster.data import prepare as preparing

    known = manifest.read_labels(labels, recipe)
    found = sources.find(packets)
    _console.print(f"{len(found.sources)} files ({found.size / 1e6:.0f} MB), {len(known.classes)} labelled objects")
    if found.skipped:
        _console.print(f"{len(found.skipped)} files are no alert files and are skipped: {', '.join(found.skipped[:3])}")
    command = " ".join(["skystamp", *sys.argv[1:]])
    content = preparing.prepare(found, known, recipe, out, catalogue=catalogue, command=command)
    show(content, out)


def changed(
    recipe: "DatasetManifest", validation: int | None, test: int | None, quality: list[str]
) -> "DatasetManifest":
    """Return the recipe with what the command line says otherwise."""
    qualities = dict(recipe.qualities)
    for item in quality:
        name, equals, kept = item.partition("=")
        if name not in recipe.classes or not equals:
            raise UsageError(f"--quality should be CLASS=QUALITY,... of {recipe.classes}. Received: {item}")
        if kept:
            qualities[name] = tuple(kept.split(","))
        else:
            qualities.pop(name, None)
    return replace(recipe, qualities=qualities, validation=validation or recipe.validation, test=test or recipe.test)


def beside(recipe: "DatasetManifest", packets: str) -> str:
    """Return the recipe's label table in the folder of the packets.

    Raises
    ------
    UsageError
        If the recipe names none.
    """
    if not recipe.table:
        raise UsageError(f"the data set {recipe.name} needs a label table: give it by --labels TABLE.csv or .parquet")
    return f"{packets.rstrip('/')}/{recipe.table}"


def simulated(recipe: "DatasetManifest", folder: Path, objects: int | None, seed: int | None) -> Path:
    """Simulate the packets of a recipe that says how, and return their folder.

    Raises
    ------
    UsageError
        If its settings are not those of a simulation.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from skystamp.cluster.simulate import Simulation, simulate

    given = {"objects": objects, "seed": seed}
    settings = {**recipe.simulation, **{key: value for key, value in given.items() if value is not None}}
    try:
        simulation = Simulation(**settings)
    except TypeError as error:
        raise UsageError(f"[simulation] of {recipe.name} should have the options of simulate. {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    done = simulate(simulation, folder)
    _console.print(f"{done.packets} packets simulated in {done.made} shards ({done.found} were there) in {folder}")
    return folder


def show(content: dict[str, Any], out: Path) -> None:
    """Print what was prepared: packets and objects a class and split, what was left out, and why."""
    table = Table(title=f"{content['name']}: packets (objects)")
    counts = content["counts"]
    for column in ("class", *counts):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name in next(iter(counts.values())):
        cells = [counts[split][name] for split in counts]
        table.add_row(name, *(f"{cell['packets']} ({cell['objects']})" for cell in cells))
    _console.print(table)
    fates = content["packets"]
    reasons = ", ".join(f"{reason} {count}" for reason, count in fates["reasons"].items())
    _console.print(
        f"{fates['packets']} packets: {fates['accepted']} accepted, {fates['unlabelled']} unlabelled, "
        f"{fates['duplicate']} duplicates, {fates['rejected']} rejected" + (f" ({reasons})" if reasons else "")
    )
    if content["split"]["shrunk"]:
        sizes = ", ".join(f"{name} {s['validation']}" for name, s in content["split"]["shrunk"].items())
        _console.print(f"Too few objects for the split asked for; validation and test have 15 % each: {sizes}")
    _console.print(about_sequences(content["sequences"]))
    if content["catalogue"]:
        found = content["catalogue"]
        _console.print(f"{found['name']}: {found['matched']} of {found['objects']} objects have a match")
    _console.print(f"Prepared data {content['hash'][:12]} in {out}")


def about_sequences(found: dict[str, Any]) -> str:
    """Return one sentence on how many objects have so many accepted detections, and on the detections left out."""
    lengths: Counter[str] = Counter()
    for classes in found["objects"].values():
        for counts in classes.values():
            lengths.update(counts)
    names = list(lengths)
    at_least = {n: sum(lengths[m] for m in names[i:]) for i, n in enumerate(names)}
    longer = ", ".join(f"{n} or more {at_least[n]}" for n in names if n not in ("1", "more"))
    reasons = ", ".join(f"{count} {reason}" for reason, count in found["left_out"].items()) or "none"
    return f"Objects by detections in sequence: all {at_least['1']}, {longer}. Detections left out: {reasons}"
