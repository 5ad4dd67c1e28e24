"""Which models answer: those that are named, or all that have an alias; with the catalogue that they read."""

from collections.abc import Sequence

from skystamp import crossmatch, routing
from skystamp.classify import Model, Models
from skystamp.errors import UsageError


def load(references: Sequence[str], uri: str, catalogue: str | None) -> Models:
    """Return the models behind references as `tracking.load` takes them, with the catalogue at a URL.

    Raises
    ------
    UsageError
        If two have one name, or nothing answers to one.
    """
    from skystamp import tracking

    by_name: dict[str, Model] = {}
    for reference in references:
        model = tracking.load(reference, uri)
        if model.name in by_name:
            raise UsageError(f"each model should be given once. Received: {model.name} twice")
        by_name[model.name] = model
    return Models(by_name, crossmatch.open_catalogue(catalogue) if catalogue else None)


def routed(alias: str, uri: str) -> list[str]:
    """Return ``NAME/VERSION`` of every model of `routing.MODEL_FOR` that has this alias now.

    Raises
    ------
    UsageError
        If not even the first-detection model has it.
    """
    from skystamp import tracking

    versions = {name: tracking.alias_version(name, alias, uri) for name in routing.MODEL_FOR.values()}
    if versions[routing.FIRST_DETECTION] is None:
        raise UsageError(f"{routing.FIRST_DETECTION} should have the alias {alias!r} in {uri}. Received: none")
    return [f"{name}/{version}" for name, version in versions.items() if version is not None]
