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
_ANSWERING = "answering_"  # tag of a model: before the alias
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


def drop_alias(name: str, alias: str, uri: str) -> None:
    """Let an alias name nothing; no matter if it does not."""
    if alias_version(name, alias, uri) is not None:
        _client(uri).delete_registered_model_alias(name, alias)


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


def described(name: str, version: str, uri: str) -> RegisteredModel:
    """Return one version of a registered model.

    Raises
    ------
    UsageError
        If there is no such model or version.
    """
    client = _client(uri)
    try:
        return _described(client, client.get_model_version(name, version), client.get_registered_model(name).aliases)
    except MlflowException as error:
        raise UsageError(f"{name} should have a version {version}. Received: {str(error)[:200]}") from error


def model_tags(name: str, uri: str) -> dict[str, str]:
    """Return the tags of a registered model.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    try:
        return dict(_client(uri).get_registered_model(name).tags)
    except MlflowException as error:
        raise UsageError(f"a model {name} should be registered. Received: {str(error)[:200]}") from error


def tag_model(name: str, tags: Mapping[str, str], uri: str) -> None:
    """Set tags of a registered model."""
    client = _client(uri)
    for key, value in tags.items():
        client.set_registered_model_tag(name, key, value)


def note_answering(name: str, alias: str, version: str, uri: str) -> None:
    """Note the version that answers under an alias, for a process that is started when a newer one does not load."""
    if model_tags(name, uri).get(f"{_ANSWERING}{alias}") != version:
        tag_model(name, {f"{_ANSWERING}{alias}": version}, uri)


def load_answering(name: str, alias: str, uri: str) -> Model | None:
    """Return the model that answered last under an alias, None if none is noted.

    Raises
    ------
    UsageError
        If there is no such model.
    BundleError
        If it does not load either.
    """
    version = model_tags(name, uri).get(f"{_ANSWERING}{alias}")
    return load(f"{name}/{version}", uri) if version else None


def tag_version(name: str, version: str, tags: Mapping[str, str], uri: str) -> None:
    """Set tags of a version."""
    client = _client(uri)
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value)


def parsed(reference: str) -> tuple[str, str]:
    """Return the registered name and the alias of a reference; no name for a folder, no alias for a version."""
    match = None if Path(reference).is_dir() else _REFERENCE.fullmatch(reference)
    return ("", "") if match is None else (match["name"], match["alias"] or "")


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
    for path in (folder / "spec.json", *sorted(folder.glob("*.keras"))):
        digest.update(path.read_bytes())
    temperature = bundle.read_about(folder).get("temperature", 1.0)
    if temperature != 1:
        digest.update(repr(temperature).encode())
    return digest.hexdigest()[:8]
