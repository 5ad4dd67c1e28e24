import numpy as np

from skystamp.synthetic import sky, survey


def _table(ra: float = 180.0, dec: float = 30.0, seed: int = 0) -> survey.Exposures:
    return survey.exposures(np.random.default_rng(seed), sky.position(ra, dec))


def test_exposures_are_in_time_order_within_the_survey():
    jd = _table().jd

    assert (np.diff(jd) >= 0).all()
    assert jd.min() >= survey.SURVEY_START
    assert jd.max() < survey.SURVEY_END + 1.0


def test_a_position_is_covered_a_thousand_times_or_so():
    counts = [_table(seed=seed).jd.size for seed in range(8)]

    assert 500 < np.median(counts) < 5000


def test_a_position_near_the_equator_rests_part_of_the_year():
    day_of_year = _table(dec=0.0).jd % 365.25

    assert np.histogram(day_of_year, bins=12, range=(0, 365.25))[0].min() == 0


def test_worse_seeing_and_brighter_sky_make_shallower_limits():
    table = _table()

    assert np.corrcoef(table.fwhm, table.limit)[0, 1] < -0.15
    assert np.corrcoef(table.noise, table.limit)[0, 1] < -0.3


def test_both_filters_are_used_about_equally():
    assert 0.35 < (_table().fid == 1).mean() < 0.65
