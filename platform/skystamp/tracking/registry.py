"""Registered models: which version an alias names, what there is, and the bundle behind a reference.

``champion`` is served, ``challenger`` is proposed. Changing an alias in the MLflow UI is all that it takes to change
what is served.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from skystamp import bundle
from skystamp.classify import Model
from skystamp.errors import UsageError
from skystamp.tracking.runs import require_local_folder

CHAMPION, CHALLENGER = "champion", "challenger"

_REFERENCE = re.compile(r"(?P<name>[\w.-]+)(?:@(?P<alias>[\w-]+)|/(?P<version>[0-9]+))")
_ABSENT = "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The bundle behind a reference: its folder on this machine, and the name and version its scores are keyed by."""

    folder: Path
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a registered model."""

    name: str
    version: str
    aliases: tuple[str, ...]
    created_ms: int  # since 1970, UTC
    run_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


def register(model_uri: str, name: str, uri: str, *, run: str, tags: Mapping[str, str] | None = None) -> str:
    """Register a logged model under a name and return its new version."""
    client = _client(uri)
    if not any(model.name == name for model in client.search_registered_models(f"name = '{name}'")):
        client.create_registered_model(name)
    made = client.create_model_version(
        name, source=_source(client, model_uri), run_id=run, tags=dict(tags or {}), model_id=_model_id(model_uri)
    )
    return str(made.version)


def set_alias(name: str, alias: str, version: str, uri: str) -> None:
    """Let an alias name a version.

    Raises
    ------
    UsageError
        If there is no such model or version.
    """
    try:
        _client(uri).set_registered_model_alias(name, alias, version)
    except MlflowException as error:
        raise UsageError(f"{name} should have a version {version}. Received: {str(error)[:200]}") from error


def propose(name: str, version: str, uri: str) -> str:
    """Give a new version its first alias and return it: ``challenger``, or ``champion`` where there is none yet."""
    alias = CHALLENGER if alias_version(name, CHAMPION, uri) else CHAMPION
    set_alias(name, alias, version, uri)
    return alias


def alias_version(name: str, alias: str, uri: str) -> str | None:
    """Return the version that an alias names now, or None. One short query."""
    try:
        return str(_client(uri).get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise


def registered(uri: str) -> list[RegisteredModel]:
    """Return every version of every registered model: by name, newest version first."""
    client = _client(uri)
    found = []
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{model.name}'")
        found += [_described(client, version, model.aliases) for version in versions]
    return sorted(found, key=lambda entry: (entry.name, -int(entry.version)))


def resolve(reference: str, uri: str) -> Resolved:
    """Return the bundle behind ``NAME@ALIAS``, ``NAME/VERSION`` or a folder, fetched if it is elsewhere.

    Raises
    ------
    UsageError
        If nothing answers to the reference.
    BundleError
        If a folder holds no bundle.
    """
    folder = Path(reference)
    if folder.is_dir():
        return Resolved(folder, str(bundle.read_about(folder)["name"]), f"local-{_digest(folder)}")
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise UsageError(f"a model should be NAME@ALIAS, NAME/VERSION or a bundle's folder. Received: {reference!r}")
    name = match["name"]
    version = match["version"] or alias_version(name, match["alias"], uri)
    if version is None:
        raise UsageError(f"no model {name!r} has the alias {match['alias']!r} in {uri}; `skystamp models` lists them")
    return Resolved(_fetched(name, version, uri), name, version)


def fetch(model_uri: str, uri: str) -> Path:
    """Return a copy of the bundle of a logged model (``models:/<id>``), which may be changed."""
    location = _client(uri).get_logged_model(_model_id(model_uri)).artifact_location
    path = Path(mlflow.artifacts.download_artifacts(artifact_uri=location, tracking_uri=uri))
    copy = Path(tempfile.mkdtemp(prefix="skystamp-bundle-")) / "bundle"
    return Path(shutil.copytree(_bundle_in(path), copy))


def load(reference: str, uri: str) -> Model:
    """Return the model behind a reference, its bundle loaded and checked.

    Raises
    ------
    UsageError
        If nothing answers to the reference.
    BundleError
        If the bundle does not load or does not reproduce its example.
    """
    found = resolve(reference, uri)
    return Model(found.name, found.version, bundle.load(found.folder))


def _client(uri: str) -> mlflow.MlflowClient:
    require_local_folder(uri)
    return mlflow.MlflowClient(uri, uri)


def _source(client: mlflow.MlflowClient, model_uri: str) -> str:
    return str(client.get_logged_model(_model_id(model_uri)).artifact_location)


def _model_id(model_uri: str) -> str:
    return model_uri.removeprefix("models:/")


def _fetched(name: str, version: str, uri: str) -> Path:
    try:
        source = _client(uri).get_model_version_download_uri(name, version)
        path = Path(mlflow.artifacts.download_artifacts(artifact_uri=source, tracking_uri=uri))
    except MlflowException as error:
        raise UsageError(f"{name} should have a version {version} in {uri}. Received: {str(error)[:200]}") from error
    return _bundle_in(path)


def _bundle_in(path: Path) -> Path:
    """Return the bundle's folder in a downloaded model, where MLflow keeps it under the name it had when logged."""
    found = sorted(path.glob("**/bundle.json"))
    if not found:
        raise UsageError(f"a registered model should hold a bundle. Received: {path}, without a bundle.json")
    return found[0].parent


def _described(client: mlflow.MlflowClient, version: ModelVersion, aliases: Mapping[str, object]) -> RegisteredModel:
    try:
        metrics = client.get_run(version.run_id).data.metrics if version.run_id else {}
    except MlflowException:
        metrics = {}  # the run was deleted; the model stays
    names = tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(version.version)))
    created = int(version.creation_timestamp)
    return RegisteredModel(version.name, str(version.version), names, created, version.run_id, version.tags, metrics)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("spec.json", "model.keras"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:8]
