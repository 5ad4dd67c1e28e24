"""explanation.picture: a PNG with every stamp under both methods and the strongest numbers."""

import io

import numpy as np
import pytest
from matplotlib import image

from skystamp import explanation
from skystamp.inputs import STATIC
from tests import explaining

READ = {"stamps": np.ones((21, 21, 3)) / 100, "metadata": np.linspace(-1, 1, 23)}


def panels(made) -> list[str]:
    return [axes.get_title().replace("\n", " ") for axes in made.axes if axes.get_title()]


def test_one_detection_shows_each_band_under_both_methods() -> None:
    why = explanation.explain(explaining.first_detection(READ), explaining.raw(), "SN")

    made = explanation.figure(why, title="ZTF20aaaaaaa")

    methods = ("integrated gradients", "occlusion")
    assert panels(made) == [f"{band} {method}" for method in methods for band in ("science", "template", "difference")]
    assert "ZTF20aaaaaaa: SN" in made.get_suptitle()
    labels = [text.get_text() for text in made.axes[-1].get_yticklabels()]
    assert len(labels) == 12
    assert labels[-1].startswith(f"{why.numbers[0].name} = ")


def test_a_sequence_has_a_row_a_detection() -> None:
    read = {"static": np.ones(len(STATIC)), "stamps": np.ones((3, 21, 21, 2)) / 100}
    why = explanation.explain(explaining.temporal(read), explaining.raw_sequence(), "SN")

    titles = panels(explanation.figure(why))

    assert len(titles) == 3 * 2 * 2
    assert titles[-1] == "template 3 occlusion"


def test_a_picture_is_a_png_that_shows_something() -> None:
    why = explanation.explain(explaining.first_detection(READ), explaining.raw(), "SN")

    pixels = image.imread(io.BytesIO(explanation.png(why)), format="png")

    assert pixels.shape[0] > 300
    assert pixels[..., :3].std() > 0.05


@pytest.mark.parametrize("read", [{}, {"metadata": np.zeros(23)}])
def test_a_model_that_reads_nothing_has_a_picture_too(read) -> None:
    why = explanation.explain(explaining.first_detection(read or {"metadata": np.zeros(23)}), explaining.raw(), "SN")

    assert explanation.png(why).startswith(b"\x89PNG")
