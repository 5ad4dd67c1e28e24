"""Figures of an evaluation, read back from their axes."""

import base64

import numpy as np
import pytest

from skystamp import figures, metadata
from skystamp.figures import drawing

CLASSES = ("AGN", "SN", "VS")


def test_confusion_shows_shares_with_their_deviation_and_mean_counts():
    counts = np.array([[[8, 2], [0, 0]], [[6, 4], [0, 0]]], np.float64)

    figure = figures.confusion_spread_figure(counts, ("SN", "VS"))

    said = [text.get_text() for text in figure.axes[0].texts]
    assert said[:4] == ["70.0 ± 14.1 %", "7.0", "30.0 ± 14.1 %", "3.0"]
    assert said[4] == "0.0 ± 0.0 %"


def test_confusion_of_one_training_has_no_deviation():
    figure = figures.confusion_spread_figure(np.array([[[8, 2], [1, 9]]], np.float64), ("SN", "VS"))

    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["80.0 %", "8"]


def test_roc_draws_a_line_for_each_training_and_names_each_model_once():
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.9, 1.0]))
    short = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    figure = figures.roc_figure({"a": [curve, short], "b": [curve]}, {"a": "A", "b": "B"}, "SN")

    whole, near = figure.axes
    assert len(near.lines) == 3
    assert [text.get_text() for text in whole.get_legend().get_texts()] == ["A", "B"]


def test_thresholds_where_a_training_has_no_candidates_are_not_drawn():
    purity = np.array([[0.5, 0.9, np.nan], [0.7, 0.9, 1.0]])

    figure = figures.thresholds_figure(np.array([0.1, 0.5, 0.9]), purity, np.array([[1, 0.5, 0.0]] * 2), "SN")

    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["purity"].get_ydata() == pytest.approx([0.6, 0.9])
    assert lines["completeness"].get_ydata() == pytest.approx([1, 0.5, 0])


def test_reliability_leaves_bins_of_few_answers_out():
    bins = (np.array([2, 20, 30]), np.array([0.2, 0.5, 0.9]), np.array([0.0, 0.6, 0.95]))

    figure = figures.reliability_figure({"a": bins}, {"a": "A"})

    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"]
    assert list(line.get_xdata()) == [0.5, 0.9]


def test_histograms_have_a_panel_for_each_class():
    rng = np.random.default_rng(0)

    figure = figures.histograms_figure(
        rng.random((60, 5)), rng.integers(0, 5, 60), ("AGN", "SN", "VS", "asteroid", "bogus")
    )

    assert [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False]


def test_slices_have_a_row_each_in_their_order():
    values = np.array([[0.9, 0.8, 0.95], [0.5, 0.5, 0.5]])

    figure = figures.slices_figure(
        [("band", ["g", "r"], [values, values]), ("sign", ["+", "-"], [values, values])], [0.8, 0.7], ["A", "B"]
    )

    assert [axes.get_title(loc="left") for axes in figure.axes] == ["band", "sign"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["g", "r"]


def test_sky_draws_each_class_and_both_circles():
    ra, dec = np.array([10.0, 200.0, np.nan]), np.array([5.0, -20.0, 0.0])

    figure = figures.sky_figure(ra, dec, np.array(["SN", "AGN", "SN"]), CLASSES)

    assert [axes.get_title() for axes in figure.axes] == ["AGN, 1", "SN, 1", "VS, 0"]
    (points,) = figure.axes[1].collections
    np.testing.assert_allclose(points.get_offsets(), np.radians([[170.0, 5.0]]))
    assert len(figure.axes[0].lines) == 2


def test_the_galactic_plane_and_the_ecliptic_are_where_they_are():
    ra, dec = metadata.galactic_plane()
    _, latitude = metadata.galactic(ra, dec)
    assert np.abs(latitude).max() < 1e-9

    ra, dec = metadata.ecliptic_circle()
    _, latitude = metadata.ecliptic(ra, dec)
    assert np.abs(latitude).max() < 1e-9
    assert dec.max() == pytest.approx(23.44, abs=0.01)


def test_features_say_what_is_missing_and_stand_beside_each_other():
    values = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])

    figure = figures.features_figure(values, ["magpsf", "rb"], np.array(["SN", "SN", "VS", "VS"]), CLASSES)

    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["magpsf  (25% missing)", "rb  (25% missing)"]


def test_stamps_have_a_row_for_each_detection_and_missing_pixels_are_no_fault():
    images = np.random.default_rng(0).normal(size=(2, 9, 9, 3)).astype(np.float32)
    images[0, :, :, 1] = np.nan

    figure = figures.stamps_figure(images)

    assert len(figure.axes) == 6
    assert [axes.get_title() for axes in figure.axes[:3]] == ["science", "template", "difference"]


@pytest.mark.parametrize(("form", "start"), [(figures.as_svg, b"<?xml"), (figures.as_png, b"\x89PNG")])
def test_a_picture_is_an_address_that_holds_it(form, start):
    address = form(figures.stamps_figure(np.zeros((1, 3, 3, 3), np.float32)))

    assert base64.b64decode(address.partition("base64,")[2]).startswith(start)


def test_every_class_has_a_colour_of_its_own():
    from skystamp import taxonomy

    assert len({drawing.colour(name) for name in taxonomy.CLASSES}) == len(taxonomy.CLASSES)
    assert drawing.colour("nova") == drawing.INK
