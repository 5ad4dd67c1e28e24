"""What every test runs under: quiet libraries that listen nowhere and report nothing, and where the real alerts are."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import making

# Before any test imports ray, tensorflow or mlflow, which read these when they are imported.
for _name, _value in {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_DATA_USE_DATASOURCE_V2": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MPLBACKEND": "agg",
}.items():
    os.environ.setdefault(_name, _value)

_REAL_ALERTS = Path(__file__).parents[2] / "shared" / "alerts"
_REAL_ALLWISE = Path(__file__).parents[2] / "shared" / "allwise"


@pytest.fixture(scope="session")
def real_alerts() -> Path:
    """The folder with real alerts (ztf/*.avro and ztf/index.csv); the test is skipped where there is none."""
    folder = Path(os.environ.get("SKYSTAMP_REAL_ALERTS", _REAL_ALERTS))
    if not (folder / "ztf" / "index.csv").is_file():
        pytest.skip(f"no real alerts: set SKYSTAMP_REAL_ALERTS to a folder with ztf/index.csv (looked in {folder})")
    return folder


@pytest.fixture(scope="session")
def real_allwise() -> Path:
    """The folder with real matches (positions.csv and matches.csv); the test is skipped where there is none."""
    folder = Path(os.environ.get("SKYSTAMP_REAL_ALLWISE", _REAL_ALLWISE))
    if not (folder / "matches.csv").is_file():
        pytest.skip(f"no real matches: set SKYSTAMP_REAL_ALLWISE to a folder with matches.csv (looked in {folder})")
    return folder


@pytest.fixture
def make_record() -> Callable[..., dict[str, Any]]:
    """`make_record(seed=0, candidate={...}, **changes)`: a small valid ZTF record."""
    return making.record


@pytest.fixture
def packet() -> Callable[..., bytes]:
    """`packet(*records, codec="null")`: the bytes of a container."""
    return making.packet
