import numpy as np
import pytest

from skystamp.synthetic import exposing, flaws, images, optics, photometry
from skystamp.synthetic.exposing import Reference, Source
from skystamp.synthetic.images import Conditions
from skystamp.synthetic.optics import CENTRE, Psf
from skystamp.synthetic.populations import BOGUS_KINDS
from skystamp.synthetic.sources import Field, Stars

CONDITIONS = Conditions(fwhm=2.2, background=150.0, noise=5.5, zero_point=26.3, fid=2)
REFERENCE = Reference(Psf(1.9), 15)
EMPTY = Field(Stars(np.zeros(0), np.zeros(0), np.zeros((0, 4))), ())


def _triplet(seed: int, source: Source, field: Field = EMPTY) -> images.Triplet:
    rng = np.random.default_rng(seed)
    return exposing.expose(rng, images.scene(rng, field, None), CONDITIONS, REFERENCE, source)


def test_star_keeps_its_flux():
    image = optics.stamp(optics.kernel(Psf(2.0)))

    assert image.sum() == pytest.approx(1.0, abs=1e-6)
    assert np.unravel_index(image.argmax(), image.shape) == (CENTRE, CENTRE)


def test_wider_seeing_lowers_the_peak():
    peaks = [optics.stamp(optics.kernel(Psf(width))).max() for width in (1.6, 2.2, 3.0)]

    assert peaks == sorted(peaks, reverse=True)


@pytest.mark.parametrize("flux", [4000.0, -4000.0], ids=["brighter", "fainter"])
def test_measured_flux_agrees_with_the_injected_one(flux: float):
    measured = []
    for seed in range(12):
        triplet = _triplet(seed, Source(10000.0 + flux, 10000.0))
        sign = 1 if flux > 0 else -1
        found = photometry.measure(np.random.default_rng(0), images.searched(triplet, sign), CENTRE, CENTRE)
        measured.append(sign * found.flux)

    assert np.mean(measured) == pytest.approx(flux, rel=0.08)


def test_difference_noise_is_nearly_white_and_of_the_science_images_level():
    difference = _triplet(3, Source(0.0, 0.0)).difference

    assert 0.8 * CONDITIONS.noise < difference.std() < 1.6 * CONDITIONS.noise


def test_unchanged_bright_star_leaves_only_a_small_residual():
    star = Field(Stars(np.zeros(1), np.zeros(1), np.full((1, 4), 16.0)), ())
    triplet = _triplet(4, Source(0.0, 0.0), star)

    assert np.abs(triplet.difference).max() < 0.2 * (triplet.science - 150.0).max()


@pytest.mark.parametrize("kind", list(BOGUS_KINDS))
def test_each_flaw_shows_in_the_difference(kind: str):
    strongest = 0.0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        flaw = flaws.flaw(kind, rng)
        stars = [] if flaw.star is None else [flaw.star]
        x, y, r = np.array(stars, dtype=np.float64).reshape(-1, 3).T
        field = Field(Stars(x, y, np.repeat(r[:, None], 4, axis=1)), ())
        scene = images.scene(rng, field, None)
        triplet = exposing.expose(rng, scene, CONDITIONS, REFERENCE, Source(0.0, 0.0), flaw)
        near = np.abs(triplet.difference[CENTRE - 8 : CENTRE + 9, CENTRE - 8 : CENTRE + 9])
        strongest = max(strongest, float(near.max() / triplet.noise))

    assert strongest > 5.0
