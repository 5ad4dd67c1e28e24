"""A real Prometheus on loopback for tests, and what its tool says of rules: from Debian's package `prometheus`."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.clusters import free_port

GRAFANA = Path(__file__).parents[1] / "docs" / "grafana"
MISSING = "no Prometheus: install Debian's package `prometheus`"


def expressions() -> list[str]:
    """Return what the dashboard asks."""
    panels = json.loads((GRAFANA / "skystamp.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def is_installed() -> bool:
    """Return whether there are the server and its tool."""
    return all(map(shutil.which, ("prometheus", "promtool")))


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression is now: a vector's samples, an empty one's none.

        Raises
        ------
        ValueError
            If it does not parse, or can not be evaluated.
        """
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30).json()
        if answer["status"] != "success":
            raise ValueError(f"{answer['error']} in {expression}")
        return list(answer["data"]["result"])

    def scraped(self) -> list[float]:
        """Return how many good scrapes each target has had so far."""
        return [float(one["value"][1]) for one in self.query("sum_over_time(up[1h])")]


@contextmanager
def running(folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Run a server that asks these targets every second, each as an instance of its own."""
    port = free_port()
    said = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "all", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(said))
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield _ready(Prometheus(f"http://127.0.0.1:{port}"), process)
    finally:
        process.terminate()
        process.wait(30)


def _ready(server: Prometheus, process: "subprocess.Popen[bytes]") -> Prometheus:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "Prometheus ended"
        try:
            if httpx.get(f"{server.url}/-/ready", timeout=5).status_code == httpx.codes.OK:
                return server
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("Prometheus should be ready in 60 s")


def tool(*arguments: str, folder: Path) -> str:
    """Return what promtool says.

    Raises
    ------
    ValueError
        If it finds a fault.
    """
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise ValueError(done.stdout + done.stderr)
    return done.stdout


def alerts(folder: Path, rules: Path, series: dict[str, str], at: str) -> set[str]:
    """Return the alerts that fire, of a file of rules, when these series were told until then, a value a minute.

    Parameters
    ----------
    series : dict of str to str
        Values in promtool's notation, as ``0+5x60``.
    at : str
        As ``1h``.
    """
    names = [rule["alert"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    asked = [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in names]  # who fires is told to be wrong
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": asked}
    shutil.copy(rules, folder / "rules.yml")
    (folder / "test.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "tests": [test]}))
    try:
        tool("test", "rules", "test.yml", folder=folder)
    except ValueError as error:
        firing = set(re.findall(r"alertname: (\w+), time:", str(error)))
        if not firing:
            raise
        return firing
    return set()
