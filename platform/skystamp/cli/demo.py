"""`skystamp demo`: the main job from nothing to an answer, each step by a command that the reader can run alone.

    Ray ─> simulate ─> prepare ─> study (ray job submit) ─> MLflow UI ─> Serve ─> a fresh night over HTTP

Every step prints its command. What the demo starts (a Ray head, an MLflow server, a Serve application) it ends by
process id when it ends; its data, models and runs stay in the work folder.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skystamp.errors import Fault, UsageError

_HOST = "127.0.0.1"
_NIGHT_JD = 2461000.5
_JD_OF_MJD = 2400000.5
_GRACE_S = 30
_START_S = 180
_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the demo works, how much it does, and the ports it listens on (all on loopback)."""

    work: Path
    objects: int
    trials: int
    iterations: int
    night_objects: int
    alerts: Path | None
    ports: Mapping[str, int]

    def url(self, service: str) -> str:
        """Return the address of ``dashboard``, ``mlflow`` or ``api``."""
        return f"http://{_HOST}:{self.ports[service]}"

    @property
    def prepared(self) -> Path:
        """Folder of the training data."""
        return self.work / "prepared"

    @property
    def ray(self) -> str:
        """Address of the Ray head."""
        return f"{_HOST}:{self.ports['ray']}"

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and models."""
        return f"sqlite:///{self.work / 'mlflow.db'}"


def demo(
    work: Annotated[Path, typer.Option(help="Folder for data, runs and models.")] = Path(".skystamp"),
    objects: Annotated[int, typer.Option(help="Objects to simulate for training.", min=500)] = 4000,
    trials: Annotated[int, typer.Option(help="Trials of the study.", min=1)] = 3,
    iterations: Annotated[int, typer.Option(help="Iterations of a trial at most.", min=10)] = 750,
    night_objects: Annotated[int, typer.Option(help="Objects of the fresh night.", min=10)] = 300,
    alerts: Annotated[Path | None, typer.Option(help="Classify the packets in this folder instead.")] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End when done, do not stay up until Ctrl-C.")] = False,
) -> None:
    """Do the main job: simulate, train, register, serve, and classify a night over HTTP."""
    if alerts is not None and not alerts.exists():
        raise UsageError(f"--alerts should be a folder of packets. Received: {alerts}, which does not exist")
    if not Path("tune_jobs").is_dir():
        raise UsageError("the demo should be run from the project's folder, the one that holds tune_jobs/")
    plan = Plan(work.resolve(), objects, trials, iterations, night_objects, alerts, _free_ports())
    started = time.monotonic()
    with ExitStack() as services:
        _train(plan, services)
        _serve(plan, services)
        _classify(plan)
        _addresses(plan, time.monotonic() - started)
        if not leave:
            _until_interrupted()
    _console.print("Everything that the demo started has ended.")


def _train(plan: Plan, services: ExitStack) -> None:
    work, environment = plan.work, _environment(plan)
    work.mkdir(parents=True, exist_ok=True)
    _title("1/7", "A Ray cluster on this machine")
    services.enter_context(_service("ray", _ray_head(plan), plan, partial(_listens, plan.ports["dashboard"])))
    _title("2/7", f"Simulate a survey of {plan.objects} objects")
    _run([*_skystamp("simulate"), f"--objects={plan.objects}", "--seed=1", f"--out={work / 'survey'}"], environment)
    _title("3/7", "Prepare training data: decode, reject, split by object")
    recipe = [f"--from={work / 'survey'}", f"--out={plan.prepared}", "--validation=60", "--test=60"]
    if (plan.prepared / "manifest.json").is_file():
        _console.print(f"{plan.prepared} is there already and is used as it is.")
    else:
        _run([*_skystamp("prepare"), "synthetic", *recipe], environment)
    _title("4/7", f"Search hyperparameters: {plan.trials} trials, best model registered in MLflow")
    _run(_study(plan), environment)


def _study(plan: Plan) -> list[str]:
    submit = [_tool("ray"), "job", "submit", f"--address={plan.url('dashboard')}", "--working-dir=."]
    study = ["--", sys.executable, "-m", "tune_jobs.first_detection", f"--data={plan.prepared}"]
    size = [
        "--space=demo",
        f"--trials={plan.trials}",
        "--seeds=1",
        f"--max-iterations={plan.iterations}",
        "--validate-every=25",
    ]
    where = [
        f"--tracking-uri={plan.tracking_uri}",
        f"--storage={plan.work / 'tune'}",
        f"--name=demo-{int(time.time())}",
    ]
    return [*submit, *study, *size, *where, f"--commit={_commit()}"]


def _commit() -> str:
    """Return the commit of this folder, which the job's copy of it no longer knows."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _serve(plan: Plan, services: ExitStack) -> None:
    _title("5/7", "The MLflow UI and the Serve application")
    server = [_tool("mlflow"), "server", f"--backend-store-uri={plan.tracking_uri}", f"--host={_HOST}"]
    server += [f"--port={plan.ports['mlflow']}", "--workers=1"]
    services.enter_context(_service("mlflow", server, plan, partial(_listens, plan.ports["mlflow"])))
    config = _serve_config(plan)
    application = [_tool("serve"), "run", f"--address={plan.ray}", str(config)]
    services.enter_context(_service("serve", application, plan, partial(_ready, plan)))


def _serve_config(plan: Plan) -> Path:
    """Write serve_apps/local.yaml with the demo's port, tracking URI and store, and return the file."""
    import yaml

    config = yaml.safe_load(Path("serve_apps/local.yaml").read_text())
    config["http_options"]["port"] = plan.ports["api"]
    ours = {"tracking_uri": plan.tracking_uri, "store": f"sqlite:///{plan.work / 'store.db'}"}
    for application in config["applications"]:
        application["args"] |= {name: value for name, value in ours.items() if name in application["args"]}
    file = plan.work / "serve.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def _classify(plan: Plan) -> None:
    from skystamp.cli import confusion

    night = plan.alerts or plan.work / "night"
    if plan.alerts is None:
        _title("6/7", "Simulate a fresh night, of objects that no training has seen")
        size = [f"--objects={plan.night_objects}", "--seed=2", f"--night={_NIGHT_JD}", f"--out={night}"]
        _run([*_skystamp("simulate"), *size], _environment(plan))
    _title("7/7", f"Classify {night} over HTTP")
    data = ["-H", "content-type: application/avro", "--data-binary", "@FILE.avro"]
    _show(["curl", "-sS", *data, f"{plan.url('api')}/v1/classify"])
    confusion.report(plan.url("api"), night, _console)


def _addresses(plan: Plan, seconds: float) -> None:
    _console.print(f"\nDone in {seconds / 60:.1f} minutes.")
    _console.print(f"  MLflow UI      {plan.url('mlflow')}\n  Ray dashboard  {plan.url('dashboard')}")
    _console.print(f"  API            {plan.url('api')}/docs\n  Hunter page    {plan.url('api')}/hunter{_night(plan)}")
    reference = "--model first-detection@champion --out results.parquet"
    _console.print(f"Classify packets of your own: skystamp classify PATH... {reference}")


def _night(plan: Plan) -> str:
    """Return the part of an address that lists what the demo's own night holds."""
    if plan.alerts is not None:
        return ""
    night = date(1858, 11, 17) + timedelta(days=int(_NIGHT_JD - _JD_OF_MJD))
    return f"/?from={night - timedelta(days=30)}&until={night + timedelta(days=1)}"


def _until_interrupted() -> None:
    _console.print("Everything stays up until Ctrl-C.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        _console.print("\nEnding what the demo started.")


# ------------------------------------------------------------------------------------------------ commands and services


def _title(step: str, text: str) -> None:
    _console.print(f"\n[bold]{step}  {text}[/bold]")


def _show(command: list[str]) -> None:
    _console.print("$ " + shlex.join(command), style="cyan", soft_wrap=True, markup=False)


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    _show(command)
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise Fault(f"the step above ended with status {status}; its own words say why")


@contextmanager
def _service(name: str, command: list[str], plan: Plan, is_up: Callable[[], bool]) -> Iterator[None]:
    """Run a command in the background, its words in a log file, from when it answers until the `with` ends."""
    _show(command)
    log = plan.work / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, env=_environment(plan), stdout=words, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        with _console.status(f"{name} starts"):
            _wait_until(is_up, process, log)
        yield
    finally:
        _end(process)


def _wait_until(is_up: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().splitlines()[-8:]
            raise Fault("\n".join([f"{process.args!r} did not come up; {log} ends with:", *last]))
        time.sleep(0.5)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a service and what it started: ask its process first, then its session, which is the demo's own making."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    with suppress(ProcessLookupError):  # nothing of its session may be left
        os.killpg(process.pid, signal.SIGKILL)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0


def _ready(plan: Plan) -> bool:
    import httpx

    try:
        return httpx.get(f"{plan.url('api')}/readyz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_ports() -> dict[str, int]:
    """Return the usual port of each service, or a free one where somebody else has it."""
    usual = {"ray": 6379, "dashboard": 8265, "agent": 52365, "mlflow": 5000, "api": 8000}
    return {name: _unused() if _listens(port) else port for name, port in usual.items()}


def _unused() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _ray_head(plan: Plan) -> list[str]:
    head = [_tool("ray"), "start", "--head", "--block", f"--node-ip-address={_HOST}", f"--port={plan.ports['ray']}"]
    dashboard = ["--include-dashboard=true", f"--dashboard-host={_HOST}", f"--dashboard-port={plan.ports['dashboard']}"]
    dashboard += [f"--dashboard-agent-listen-port={plan.ports['agent']}"]  # which takes jobs; another head may have it
    return [*head, *dashboard, "--disable-usage-stats", f"--temp-dir=/tmp/skystamp-{os.getuid()}-{plan.ports['ray']}"]


def _environment(plan: Plan) -> dict[str, str]:
    from skystamp.cluster.session import LOCAL_ENVIRONMENT

    return {
        **os.environ,
        **LOCAL_ENVIRONMENT,
        "RAY_ADDRESS": plan.ray,
        "MLFLOW_TRACKING_URI": plan.tracking_uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONUNBUFFERED": "1",
    }


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _skystamp(command: str) -> list[str]:
    return [_tool("skystamp"), command]
