"""Measures, the dashboard and the alert rules name the same metrics, and a name says its kind and its unit."""

import json
import re

import pytest
import yaml

from skystamp.stream import measured
from tests import prometheus
from tests.prometheus import GRAFANA, expressions

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and what it imports
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

UNITS = ("_total", "_seconds", "_bytes", "_alerts", "_messages", "_batches", "_depth", "_info", "_problem")
OF_SERVE = {"ray_serve_num_http_error_requests_total": {"application", "error_code", "method", "route"}}
"""What Ray Serve's proxies measure beside ours: answers that never came to us are among them."""
UNBOUNDED = {"alert_id", "object_id", "candid", "oid", "request_id", "detail", "file"}


def exported() -> dict[str, set[str]]:
    """Return the names that Prometheus sees, and the tags of each."""
    from serve_apps.measures import MEASURES

    service = {one.exported: set(one.tags) for one in MEASURES}
    return OF_SERVE | service | {one.name: {one.tag} - {""} for one in measured.MEASURES}


def used(text: str) -> set[str]:
    """Return the metrics that an expression names, without the endings of a histogram's series."""
    return {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in re.findall(r"(?:ray_serve_num|(?:ray_)?skystamp)_[a-z_]+", text)
    }


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
        for tag in re.findall(r"[{,](\w+)(?:=|!=)", expression):
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


# ---------------------------------------------------------------------------------- what Prometheus makes of the rules

GOOD = {
    'skystamp_stream_lag_messages{instance="a",partition="alerts[0]"}': "40-10x3 0x120",
    'skystamp_stream_packets_total{instance="a"}': "0+600x120",
    'skystamp_stream_told_timestamp_seconds{instance="a"}': "0+60x120",
    'ray_skystamp_packets_total{WorkerId="r"}': "0+600x120",
    'ray_skystamp_outcomes_total{WorkerId="i",class="SN",model="first-detection",version="1"}': "0+598x120",
    'ray_skystamp_rejections_total{WorkerId="i",reason="wrong_shape"}': "0+2x120",
    'ray_skystamp_requests_total{WorkerId="i",status="200"}': "0+60x120",
    'ray_skystamp_stage_seconds_bucket{WorkerId="i",stage="request",le="1"}': "0+60x120",
    'ray_skystamp_stage_seconds_bucket{WorkerId="i",stage="request",le="60"}': "0+60x120",
    'ray_skystamp_stage_seconds_bucket{WorkerId="i",stage="request",le="+Inf"}': "0+60x120",
    'ray_skystamp_model_problem{WorkerId="m",model="first-detection"}': "0x120",
}
"""Two hours of a service that is well; a later part of a case replaces a series or adds one."""

LAG, OUTCOMES, REJECTIONS = (
    next(name for name in GOOD if part in name) for part in ("lag", "ray_skystamp_outc", "reje")
)
SHED_503 = {
    'ray_skystamp_requests_total{WorkerId="i",status="503"}': "0+60x120",
    'ray_serve_num_http_error_requests_total{WorkerId="p",application="alerts",error_code="503"}': "0+60x120",
}
CASES = {
    "well": ({}, set()),
    "no packets at all": ({name: "_x120" for name in GOOD if "stream" not in name}, set()),
    "far behind": ({LAG: "20000x120"}, {"SkystampStreamBehind"}),
    "farther and farther behind": ({LAG: "1000+50x120"}, {"SkystampStreamFallsBehind"}),
    "a stream that hangs": (
        {'skystamp_stream_told_timestamp_seconds{instance="a"}': "0+60x60 3600x60"},
        {"SkystampStreamSilent"},
    ),
    "no outcome of a stream": (
        {LAG: "500x120", 'skystamp_stream_packets_total{instance="a"}': "600x120"},
        {"SkystampNoOutcomes"},
    ),
    "packets and no answers": (
        {OUTCOMES: "600x120", REJECTIONS: "2x120"},
        {"SkystampNoAnswers"},
    ),
    "packets and never an answer": ({OUTCOMES: "_x120", REJECTIONS: "_x120"}, {"SkystampNoAnswers"}),
    "one in ten is rejected": ({OUTCOMES: "0+540x120", REJECTIONS: "0+60x120"}, {"SkystampManyRejections"}),
    "all are rejected": ({OUTCOMES: "_x120", REJECTIONS: "0+600x120"}, {"SkystampManyRejections"}),
    "the store is away": (
        {'ray_skystamp_store_errors_total{WorkerId="r",kind="unavailable"}': "0+5x120"},
        {"SkystampStoreUnavailable"},
    ),
    "another was quicker": ({'ray_skystamp_store_errors_total{WorkerId="r",kind="outdated"}': "0+5x120"}, set()),
    "shed load": (
        {'ray_skystamp_shed_total{WorkerId="i",reason="busy"}': "0+60x120", **SHED_503},
        {"SkystampShedding"},
    ),
    "shed load of Serve's own": (
        {'ray_serve_num_http_error_requests_total{WorkerId="p",application="alerts",error_code="503"}': "0+60x120"},
        {"SkystampServeRefuses"},
    ),
    "slow": (
        {
            'ray_skystamp_stage_seconds_bucket{WorkerId="i",stage="request",le="1"}': "0+30x120",
            'ray_skystamp_stage_seconds_bucket{WorkerId="i",stage="request",le="60"}': "0+60x120",
        },
        {"SkystampSlow"},
    ),
    "a version that does not load": (
        {'ray_skystamp_model_problem{WorkerId="m",model="first-detection"}': "1x120"},
        {"SkystampModelStays"},
    ),
}

there = pytest.mark.skipif(not prometheus.is_installed(), reason=prometheus.MISSING)


@there
def test_prometheus_can_read_the_rules_and_the_settings(tmp_path):
    assert f"{len(rules())} rules found" in prometheus.tool("check", "rules", "alerts.yml", folder=GRAFANA)
    assert "valid prometheus config" in prometheus.tool("check", "config", "prometheus.yml", folder=GRAFANA)


@there
@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_when_it_should_and_no_other_does(tmp_path, case):
    changed, expected = CASES[case]

    assert prometheus.alerts(tmp_path, GRAFANA / "alerts.yml", {**GOOD, **changed}, at="2h") == expected


def test_every_alert_has_a_case_in_which_it_fires():
    names = {
        rule["alert"]
        for group in yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    }

    assert set.union(*(fired for _, fired in CASES.values())) == names
