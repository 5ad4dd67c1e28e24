import numpy as np
import pytest

from skystamp.synthetic import curves, history, sky, survey
from skystamp.synthetic.populations import Target

HERE = sky.position(150.0, 30.0)
ALL = (survey.SURVEY_START, survey.SURVEY_END)


@pytest.fixture
def table() -> survey.Exposures:
    return survey.exposures(np.random.default_rng(0), HERE)


def _variable(table: survey.Exposures) -> history.History:
    rng = np.random.default_rng(1)
    curve = curves.periodic(rng, 16.0, 15.8, 0.8, 0.6, "saw")
    return history.of_shining(rng, Target("VS", "RRL", HERE, curve), table)


def test_constant_source_is_hardly_ever_detected(table: survey.Exposures):
    target = Target("VS", "none", HERE, curves.constant(17.0, 16.8))

    assert history.of_shining(np.random.default_rng(0), target, table).detected.mean() < 0.01


def test_strong_variable_is_detected_with_both_signs(table: survey.Exposures):
    seen = _variable(table)

    assert seen.detected.mean() > 0.5
    assert (seen.measured[seen.detected] > 0).any()
    assert (seen.measured[seen.detected] < 0).any()


def test_counts_run_with_the_detections(table: survey.Exposures):
    seen = _variable(table)
    last = np.flatnonzero(seen.detected)[-1]

    n_detected, n_covered, first = seen.counts(int(last))

    assert n_detected == seen.detected.sum()
    assert n_covered == last + 1 + seen.commissioning
    assert first == seen.table.jd[np.flatnonzero(seen.detected)[0]]


def test_asteroid_is_seen_in_one_exposure_or_a_few_of_one_night(table: survey.Exposures):
    target = Target("asteroid", "main belt", HERE, curves.constant(18.5, 18.0), rate=30.0, lasting=False)

    counts = []
    for seed in range(20):
        seen = history.of_passing(np.random.default_rng(seed), target, table, ALL)
        assert seen is not None
        counts.append(int(seen.detected.sum()))

    assert np.median(counts) == 1


def test_nothing_passes_where_no_exposure_is_deep_enough(table: survey.Exposures):
    target = Target("asteroid", "main belt", HERE, curves.constant(25.0, 25.0), rate=30.0, lasting=False)

    assert history.of_passing(np.random.default_rng(0), target, table, ALL) is None


def test_chosen_detections_are_successive_and_begin_as_asked(table: survey.Exposures):
    seen = _variable(table)
    detected = np.flatnonzero(seen.detected)

    chosen = history.choose(np.random.default_rng(0), seen, ALL, 1.0, 3)

    assert chosen == [int(i) for i in detected[:3]]
