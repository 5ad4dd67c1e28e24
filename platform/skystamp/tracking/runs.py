"""Experiments and runs: a study's run, its trials' runs nested under it, and everything that they log.

Artifacts go to an absolute folder that is fixed when the experiment is made. Left to MLflow, an experiment that is
first opened inside a job keeps its artifacts in that job's temporary folder.
"""

import json
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models.signature import ModelSignature
from mlflow.types.schema import Schema, TensorSpec

from skystamp import inputs
from skystamp.bundle import read_about
from skystamp.crossmatch import COLUMNS
from skystamp.errors import UsageError
from skystamp.inputs import SequenceSpec, Spec
from skystamp.metadata import FEATURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOADER = "skystamp.pyfunc"
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
_PARENT = "mlflow.parentRunId"
_SQLITE = "sqlite:///"


def default_uri(folder: Path | None = None) -> str:
    """Return the tracking URI of a local project: an SQLite file in ``.skystamp`` of the folder (default: this one)."""
    return f"{_SQLITE}{(folder or Path.cwd()).resolve() / '.skystamp' / 'mlflow.db'}"


@dataclass(frozen=True, slots=True)
class Tracker:
    """One experiment in one MLflow: plain values, so that it travels to trials."""

    uri: str
    experiment_id: str

    @property
    def client(self) -> mlflow.MlflowClient:
        """A client of the tracking store."""
        return mlflow.MlflowClient(self.uri, self.uri)

    def start(self, name: str, *, parent: str | None = None, tags: Mapping[str, str] | None = None) -> str:
        """Start a run, nested under `parent` if one is given, and return its id."""
        all_tags = {**(tags or {}), **({_PARENT: parent} if parent else {})}
        return str(self.client.create_run(self.experiment_id, run_name=name, tags=all_tags).info.run_id)

    def finish(self, run: str, status: str = FINISHED) -> None:
        """End a run as FINISHED, FAILED or KILLED; one that has ended stays as it is."""
        if self.client.get_run(run).info.status == "RUNNING":
            self.client.set_terminated(run, status)

    def children(self, parent: str) -> list[Any]:
        """Return the runs nested under a run."""
        found = self.client.search_runs([self.experiment_id], f"tags.`{_PARENT}` = '{parent}'", max_results=5000)
        return list(found)

    def find(self, name: str) -> str | None:
        """Return the id of the newest run of this name that is nobody's child, or None."""
        found = self.client.search_runs([self.experiment_id], f"attributes.run_name = '{name}'", max_results=100)
        tops = [run for run in found if _PARENT not in run.data.tags]
        return str(tops[0].info.run_id) if tops else None

    def log(
        self,
        run: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        step: int = 0,
    ) -> None:
        """Log parameters, metrics (those that are finite) and tags."""
        now = mlflow.utils.time.get_current_time_millis()
        self.client.log_batch(
            run,
            metrics=[Metric(k, float(v), now, step) for k, v in (metrics or {}).items() if np.isfinite(v)],
            params=[Param(k, str(v)) for k, v in (params or {}).items()],
            tags=[RunTag(k, v) for k, v in (tags or {}).items()],
        )

    def log_curves(self, run: str, history: Mapping[str, Sequence[float]]) -> None:
        """Log a training's history: every list under its name, by the list ``iteration``."""
        now = mlflow.utils.time.get_current_time_millis()
        points = [
            Metric(name, float(value), now, int(step))
            for name, values in history.items()
            if name != "iteration"
            for step, value in zip(history["iteration"], values, strict=True)
            if np.isfinite(value)
        ]
        for start in range(0, len(points), 500):
            self.client.log_batch(run, metrics=points[start : start + 500])

    def log_figure(self, run: str, figure: "Figure", name: str) -> None:
        """Log a figure as an artifact, for example ``confusion.png``."""
        self.client.log_figure(run, figure, name)

    def log_json(self, run: str, content: Any, name: str) -> None:
        """Log a value as a JSON artifact."""
        self.client.log_text(run, json.dumps(content, indent=1), name)

    def log_text(self, run: str, content: str, name: str) -> None:
        """Log text as an artifact, for example ``table.md``."""
        self.client.log_text(run, content, name)

    def read_text(self, run: str, name: str) -> str:
        """Return a text artifact of a run, as `log_text` and `log_json` wrote it.

        Raises
        ------
        UsageError
            If the run has no such artifact.
        """
        if name not in {entry.path for entry in self.client.list_artifacts(run)}:
            raise UsageError(f"the run {run} should have an artifact {name}. Received: none")
        with tempfile.TemporaryDirectory(prefix="skystamp-") as folder:
            return Path(self.client.download_artifacts(run, name, folder)).read_text()

    def tops(self) -> list[Any]:
        """Return the experiment's runs that are nobody's children, newest first."""
        found = self.client.search_runs([self.experiment_id], max_results=5000)
        return [run for run in found if _PARENT not in run.data.tags]

    def log_bundle(self, run: str, folder: Path, metrics: Mapping[str, float] | None = None) -> str:
        """Log a bundle as a model of the run, with its signature, and return the model's URI (``models:/<id>``)."""
        about = read_about(folder)
        spec = inputs.spec_of((folder / "spec.json").read_text())
        with _active(self, run), warnings.catch_warnings():
            # MLflow wants an input example to prove the signature by; the bundle has its own and replays it
            warnings.filterwarnings("ignore", message=".*An input example was not provided", category=UserWarning)
            info = mlflow.pyfunc.log_model(
                name=about["name"],
                loader_module=LOADER,
                data_path=str(folder),
                signature=signature(spec, len(about["classes"])),
                pip_requirements=[f"{name}=={version}" for name, version in sorted(about["software"].items())],
            )
            if metrics:
                mlflow.log_metrics({k: float(v) for k, v in metrics.items() if np.isfinite(v)}, model_id=info.model_id)
        return f"models:/{info.model_id}"


def signature(spec: Spec, classes: int) -> ModelSignature:
    """Return the signature of a bundle: raw inputs by name (`Raw` or `RawSequences`), probabilities out."""
    leading = (-1, spec.detections) if isinstance(spec, SequenceSpec) else (-1,)
    columns = [
        TensorSpec(np.dtype(np.float32), (*leading, spec.side, spec.side, 3), "stamps"),
        TensorSpec(np.dtype(np.float64), (*leading, len(FEATURES)), "metadata"),
    ]
    if isinstance(spec, SequenceSpec):
        columns.append(TensorSpec(np.dtype(np.float64), leading, "mjd"))
        columns.append(TensorSpec(np.dtype(np.float64), (-1, len(COLUMNS)), "wise"))
    return ModelSignature(Schema(columns), Schema([TensorSpec(np.dtype(np.float32), (-1, classes))]))


def open_tracker(experiment: str, uri: str, artifacts: Path | None = None) -> Tracker:
    """Return the tracker of an experiment, which is made if it is new.

    Parameters
    ----------
    experiment : str
        Its name, for example ``first-detection``.
    uri : str
        Of MLflow's store: ``sqlite:///...``, ``postgresql://...`` or ``http://...``.
    artifacts : Path, optional
        Folder for a new experiment's artifacts; beside the file of an SQLite store by default, and left to the
        server of any other.

    Raises
    ------
    UsageError
        If the store can not be opened.
    """
    require_local_folder(uri)
    client = mlflow.MlflowClient(uri, uri)
    try:
        found = client.get_experiment_by_name(experiment)
        if found is None:
            root = artifacts or _beside(uri)
            location = None if root is None else (root.resolve() / experiment).as_uri()
            return Tracker(uri, client.create_experiment(experiment, artifact_location=location))
    except (MlflowException, sqlite3.Error) as error:
        raise UsageError(f"the tracking store {uri} should be usable. Received: {str(error)[:300]}") from error
    return Tracker(uri, found.experiment_id)


def find_tracker(experiment: str, uri: str) -> Tracker | None:
    """Return the tracker of an experiment, or None where there is none of this name; nothing is made."""
    require_local_folder(uri)
    found = mlflow.MlflowClient(uri, uri).get_experiment_by_name(experiment)
    return None if found is None else Tracker(uri, found.experiment_id)


def require_local_folder(uri: str) -> None:
    """Make the folder of an SQLite store, which SQLite does not make itself."""
    if uri.startswith(_SQLITE):
        Path(uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)


def _beside(uri: str) -> Path | None:
    return Path(uri.removeprefix(_SQLITE)).parent / "artifacts" if uri.startswith(_SQLITE) else None


@contextmanager
def _active(tracker: Tracker, run: str) -> Iterator[None]:
    """Hold `run` as MLflow's active run, which `log_model` needs, and leave it running."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracker.uri)
    mlflow.set_registry_uri(tracker.uri)
    try:
        with mlflow.start_run(run_id=run, nested=True):
            yield
        tracker.client.update_run(run, status="RUNNING")
    finally:
        mlflow.set_tracking_uri(before)
