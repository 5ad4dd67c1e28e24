"""Stretches do what they say, and what is written is a PNG that others read."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from skystamp.hunter import pictures
from tests import making


def read(data: bytes) -> np.ndarray:
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(data))
    return np.asarray(image)


@pytest.mark.parametrize("stretch", pictures.STRETCHES)
def test_a_source_is_brighter_than_the_sky(stretch):
    found = read(pictures.png(making.image(1), stretch))

    assert found.shape == (63, 63, 2)
    assert found[31, 31, 0] > 200
    assert found[:10, :10, 0].mean() < 140
    assert (found[:, :, 1] == 255).all()


def test_north_is_up_and_what_is_missing_is_transparent():
    image = np.zeros((4, 4), np.float32)
    image[3, 0] = 5.0  # the last line in the file is the highest on the sky
    image[0, 3] = np.nan

    found = read(pictures.png(image, "full"))

    assert found[0, 0].tolist() == [255, 255]
    assert found[3, 3, 1] == 0


@given(
    arrays.arrays(np.float32, (7, 7), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    st.sampled_from(list(pictures.STRETCHES)),
)
def test_any_image_becomes_a_picture(image, stretch):
    assert pictures.png(image, stretch).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -1e30])
@pytest.mark.parametrize("stretch", pictures.STRETCHES)
def test_a_flat_image_is_flat(value, stretch):
    found = read(pictures.png(np.full((63, 63), value, np.float32), stretch))

    assert np.ptp(found[..., 0]) == 0


def test_overlays_are_red_for_and_blue_against():
    found = read(pictures.overlay(np.array([[1.0, -1.0], [0.0, 0.5]], np.float32), 1.0))[::-1]

    assert found[0, 0, 0] > found[0, 0, 2]
    assert found[0, 1, 2] > found[0, 1, 0]
    assert found[1, 0, 3] == 0
    assert 0 < found[1, 1, 3] < found[0, 0, 3]
