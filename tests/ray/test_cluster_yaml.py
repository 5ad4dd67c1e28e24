"""cluster.yaml, validated by Ray's own launcher without a cloud."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validate() -> Any:
    from ray.autoscaler._private.util import prepare_config, validate_config

    return lambda config: validate_config(prepare_config(copy.deepcopy(config)))


@pytest.fixture
def config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_launcher_accepts_the_file(validate: Any, config: dict[str, Any]):
    validate(config)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        pytest.param(
            ("available_node_types", "head", "instances"), 3, "'instances' was unexpected", id="node-type-key"
        ),
        pytest.param(("max_wokers",), 3, "'max_wokers' was unexpected", id="misspelt-key"),
        pytest.param(("idle_timeout_minutes",), "ten", "'ten' is not of type", id="no-number"),
        pytest.param(("head_node_type",), "nowhere", "must be one of", id="head-type-that-is-not-there"),
    ],
)
def test_launcher_refuses_what_is_wrong(
    validate: Any, config: dict[str, Any], path: tuple[str, ...], value: object, words: str
):
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    with pytest.raises((ValidationError, ValueError), match=words):
        validate(config)


def test_workers_stay_within_the_bounds(config: dict[str, Any]):
    types = config["available_node_types"]

    workers = {name: kind for name, kind in types.items() if name != config["head_node_type"]}

    assert all(kind["min_workers"] <= kind["max_workers"] for kind in workers.values())
    assert sum(kind["max_workers"] for kind in workers.values()) <= config["max_workers"]
    assert types[config["head_node_type"]]["resources"]["CPU"] == 0
    assert any(kind["resources"].get("GPU") for kind in workers.values())


def test_mounted_files_exist(config: dict[str, Any]):
    ours = [source for source in config["file_mounts"].values() if not source.startswith("~")]

    missing = [source for source in ours if not (ROOT / source).exists()]

    assert missing == []


def test_setup_uses_the_lock_and_the_makefiles_installer(config: dict[str, Any]):
    setup = "\n".join(config["setup_commands"])
    pinned = re.search(r"^UV := (uv==[0-9.]+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert "-r ~/skystamp/requirements.lock" in setup
    assert pinned is not None
    assert pinned[1] in setup


def test_dashboard_stays_on_the_head_and_every_node_asks_for_the_token(config: dict[str, Any]):
    head = config["head_start_ray_commands"][-1]
    worker = config["worker_start_ray_commands"][-1]

    assert "--dashboard-host=127.0.0.1" in head
    assert all("RAY_AUTH_MODE=token" in command for command in (head, worker))
    assert "~/.ray/auth_token" in config["file_mounts"].values()
