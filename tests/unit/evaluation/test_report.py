"""The page opens offline, escapes what comes from outside, and says what is not there."""

import dataclasses
import re

import numpy as np
import pytest

from skystamp.evaluation import compared, comparison_page, page, report, summary, worst
from tests.judging import INFERENCE, about, judged


def page_of(given, label="first-detection/3"):
    found = summary(given, about=about(given.seeds, label), inference=INFERENCE, mistakes=3)
    stamps = {
        one.alert_id: np.random.default_rng(0).normal(size=(2, 15, 15, 3)).astype(np.float32) for one in worst(given, 2)
    }
    return page(given, found, stamps)


@pytest.fixture(scope="module")
def text():
    return page_of(judged(3))


def test_page_asks_nothing_of_a_network(text):
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", text)

    assert addresses
    assert all(one.startswith(("data:image/", "#")) for one in addresses)
    assert "default-src 'none'" in text
    assert "<script" not in text


def test_every_link_leads_to_a_section(text):
    assert set(re.findall(r'href="#([a-z]+)"', text)) <= set(re.findall(r'id="([a-z]+)"', text))


def test_page_has_its_figures_and_the_mistakes_stamps(text):
    assert text.count("data:image/svg+xml") == 7
    assert text.count("data:image/png") == 1 + 2  # the sky, and the stamps that were given
    assert "No stamps at hand." in text


def test_every_picture_has_words(text):
    assert len(re.findall(r"<img ", text)) == len(re.findall(r'<img [^>]*alt="[^"]+', text))


def test_spread_is_shown_where_there_are_several_trainings(text):
    assert " ± " in text
    assert "3 trainings of one configuration" in text
    assert " ± " not in page_of(judged()).replace("± is the deviation", "")


def test_names_from_outside_are_escaped():
    given = judged()
    given = dataclasses.replace(given, object_ids=np.array(["<script>alert(1)</script>"] * len(given)))

    text = page_of(given, label="<b>model</b>")

    assert "<script" not in text
    assert "<b>model" not in text
    assert "&lt;script&gt;" in text


def test_what_the_data_lack_is_told_in_its_place():
    given = judged()
    columns = {name: values for name, values in given.columns.items() if name not in ("band", "ra", "dec")}

    text = page_of(dataclasses.replace(given, columns=columns, features=()))

    assert "the data have no column band" in text
    assert "the data have no positions" in text
    assert "images alone" in text


def test_page_of_a_model_without_mistakes_or_supernovae_is_whole():
    text = page_of(judged(skill=50.0).among(("AGN", "VS")))

    assert "There are none." in text
    assert 'id="supernovae"' not in text


def test_comparison_has_both_sides_and_the_p_values():
    first, second = judged(2), judged(3, seed=2, skill=3.0)
    summaries = [
        summary(one, about=about(one.seeds, label), inference=INFERENCE)
        for one, label in ((first, "old/1"), (second, "new/2"))
    ]
    found = {**compared(first, second), "note": "Said <plainly>."}

    text = comparison_page(first, second, summaries, found)

    assert text.count("data:image/svg+xml") == 5
    assert f"p = {report.p_value(found['mcnemar']['p'])}" in text
    assert "Said &lt;plainly&gt;." in text
    assert "old/1" in text
    assert "new/2" in text


@pytest.mark.parametrize(
    ("value", "said"), [(0.0123, "0.012"), (0.00012, "1.2e-04"), (None, "–"), (float("nan"), "–"), (1.0, "1.000")]
)
def test_p_values_are_written_as_papers_do(value, said):
    assert report.p_value(value) == said


def test_numbers_are_written_with_their_units():
    assert report.percent(0.1234) == "12.3 %"
    assert report.points(-0.012) == "−1.2"
    assert report.milliseconds(0.00432) == "4.32 ms"
    assert report.milliseconds(2.46) == "2.46 s"
    assert report.spread_percent({"mean": 0.5, "std": 0.01}) == "50.0 ± 1.0 %"
    assert report.spread_number({"mean": float("nan"), "std": None}) == "–"
