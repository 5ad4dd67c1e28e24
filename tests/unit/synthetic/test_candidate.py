import numpy as np
import pytest

from skystamp.synthetic import candidate
from skystamp.synthetic.candidate import Chip

CHIP = Chip(field=510, rcid=53, x=2240.0, y=152.0, reference_start=2458160.0, reference_end=2458400.0)


def test_identifiers_have_the_surveys_form():
    jd = 2460235.929537

    assert candidate.process_id(jd, 53) == 2481429535315
    assert candidate.candidate_id(jd, 53, 10_000) == 2481429535315010000
    assert candidate.image_name(jd, 2, CHIP).startswith("ztf_20231018429")
    assert candidate.image_name(jd, 2, CHIP).endswith("_000510_zr_c14_o_q2_scimrefdiffimg.fits")


def test_candidate_ids_differ_between_objects_and_between_exposures():
    ids = {candidate.candidate_id(jd, 1, index) for jd in (2459000.7, 2459001.7) for index in range(100)}

    assert len(ids) == 200


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("scorr", 4.9),
        ("sigmapsf", 0.25),
        ("elong", 1.7),
        ("nneg", 14),
        ("sumrat", 0.2),
        ("fwhm", 8.0),
        ("magdiff", 1.0),
    ],
)
def test_filter_refuses_what_the_survey_would_not_send(column: str, value: float):
    good = {
        "scorr": 9.0,
        "sigmapsf": 0.1,
        "elong": 1.1,
        "nneg": 2,
        "nbad": 0,
        "sumrat": 1.0,
        "fwhm": 2.2,
        "magdiff": 0.0,
    }

    assert candidate.passes(good)
    assert not candidate.passes({**good, column: value})


def test_deep_score_tells_real_from_bogus_with_few_mistakes():
    rng = np.random.default_rng(0)

    real = np.array([candidate.deep_real_bogus(rng, True) for _ in range(300)])
    bogus = np.array([candidate.deep_real_bogus(rng, False) for _ in range(300)])

    assert (real > 0.5).mean() > 0.9
    assert 0.02 < (bogus > 0.5).mean() < 0.4
