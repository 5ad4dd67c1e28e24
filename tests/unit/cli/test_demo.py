"""cli.demo: its plan and its services. The whole of it runs by `make demo`."""

import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from skystamp.cli.demo import Plan, _listens, _run, _serve_config, _service, _unused
from skystamp.errors import Fault


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    ports = {"ray": 1, "dashboard": 2, "mlflow": 3, "api": 4, "agent": 5}
    return Plan(tmp_path, 500, 1, 10, 10, None, ports)


def test_a_port_in_use_is_left_to_whoever_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert _listens(port)
        assert _unused() != port


def test_the_served_configuration_is_the_local_one_with_the_demos_port_and_registry(plan: Plan) -> None:
    import yaml

    config = yaml.safe_load(_serve_config(plan).read_text())

    assert config["http_options"] == {**config["http_options"], "host": "127.0.0.1", "port": 4}
    usual = yaml.safe_load(Path("serve_apps/local.yaml").read_text())["applications"]
    for application, local in zip(config["applications"], usual, strict=True):
        assert application["args"].keys() == local["args"].keys()
        assert application["args"].get("tracking_uri") in (None, f"sqlite:///{plan.work}/mlflow.db")
        assert application["args"]["store"] == f"sqlite:///{plan.work}/store.db"
    assert config["applications"][0]["args"]["tracking_uri"] == f"sqlite:///{plan.work}/mlflow.db"


def test_a_service_runs_while_it_is_needed_and_no_longer(plan: Plan) -> None:
    up = plan.work / "up"
    script = f"import pathlib, time; pathlib.Path({str(up)!r}).touch(); time.sleep(60)"

    with _service("sleeper", [sys.executable, "-c", script], plan, up.exists):
        running = up.exists()

    assert running


def test_a_service_that_dies_is_told_with_its_last_words(plan: Plan) -> None:
    script = "import sys; sys.exit('no room')"
    service = partial(_service, "dier", [sys.executable, "-c", script], plan, lambda: False)

    with pytest.raises(Fault, match="no room"), service():
        pytest.fail("it should not come up")


def test_a_step_that_fails_ends_the_demo(plan: Plan) -> None:
    with pytest.raises(Fault, match="status 3"):
        _run([sys.executable, "-c", "raise SystemExit(3)"], {})
