"""Measures, the dashboard and the alert rules name the same metrics, and a name says its kind and its unit."""

import json
import re
from pathlib import Path

import pytest
import yaml

from skystamp.stream import measured

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and what it imports
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

GRAFANA = Path(__file__).parents[1] / "docs" / "grafana"
UNITS = ("_total", "_seconds", "_bytes", "_alerts", "_messages", "_batches", "_depth", "_info", "_problem")
UNBOUNDED = {"alert_id", "object_id", "candid", "oid", "request_id", "detail", "file"}


def exported() -> dict[str, set[str]]:
    """Return the names that Prometheus sees, and the tags of each."""
    from serve_apps.measures import MEASURES

    service = {one.exported: set(one.tags) for one in MEASURES}
    return service | {one.name: {one.tag} - {""} for one in measured.MEASURES}


def used(text: str) -> set[str]:
    """Return the metrics that an expression names, without the endings of a histogram's series."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"(?:ray_)?skystamp_[a-z_]+", text)}


def expressions() -> list[str]:
    panels = json.loads((GRAFANA / "skystamp.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def rules() -> list[str]:
    groups = yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def test_the_dashboard_shows_every_measure_and_no_other():
    assert used(" ".join(expressions())) == set(exported())


def test_alert_rules_name_measures_that_exist():
    assert used(" ".join(rules())) <= set(exported())
    assert len(rules()) >= 5


def test_expressions_group_by_tags_that_the_measures_have():
    tags = exported()
    of_prometheus = {"le", "instance"}

    for expression in [*expressions(), *rules()]:
        known = set.union(*(tags[name] for name in used(expression)))
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert {tag.strip() for tag in group.split(",")} <= known | of_prometheus, expression
        for tag in re.findall(r"[{,](\w+)=", expression):
            assert tag in known, expression


def test_a_name_ends_in_its_unit_and_its_tags_are_few():
    for name, tags in exported().items():
        assert name.removesuffix("_timestamp_seconds").endswith(UNITS) or name.endswith("_timestamp_seconds"), name
        assert not tags & UNBOUNDED, name


def test_panels_do_not_overlap_and_have_a_number_of_their_own():
    panels = json.loads((GRAFANA / "skystamp.json").read_text())["panels"]
    places = [panel["gridPos"] for panel in panels]

    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_prometheus_is_pointed_at_rays_list_of_nodes():
    jobs = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())["scrape_configs"]

    (listed,) = (job["file_sd_configs"][0]["files"] for job in jobs if job["job_name"] == "ray")
    assert listed == ["/tmp/ray/prom_metrics_service_discovery.json"]
