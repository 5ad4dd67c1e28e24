import numpy as np
import pytest

from skystamp.synthetic import populations, survey
from skystamp.synthetic.populations import Target

RANGE = (survey.SURVEY_START, survey.SURVEY_END)


def _draw(cls: str, n: int) -> list[Target]:
    rng = np.random.default_rng(1)
    return [populations.draw_target(cls, rng, RANGE, "noise") for _ in range(n)]


def test_asteroids_keep_to_the_ecliptic():
    latitudes = [abs(target.here.ecl_b) for target in _draw("asteroid", 200)]

    assert np.median(latitudes) < 8.0
    assert max(latitudes) > 15.0


def test_variable_stars_are_nearer_the_galactic_plane_than_active_nuclei():
    stars = np.median([abs(target.here.gal_b) for target in _draw("VS", 200)])
    nuclei = np.median([abs(target.here.gal_b) for target in _draw("AGN", 200)])

    assert stars + 10.0 < nuclei


def test_variable_stars_reach_high_latitudes_too():
    assert max(abs(target.here.gal_b) for target in _draw("VS", 200)) > 45.0


def test_supernovae_have_hosts_and_most_lie_off_their_centres():
    made = _draw("SN", 200)
    offsets = np.array([np.hypot(target.host.x, target.host.y) for target in made if target.host])

    assert len(offsets) == 200
    assert 0.7 < np.median(offsets) < 6.0


def test_active_nuclei_sit_in_the_middle_of_their_hosts_or_show_none():
    hosts = [target.host for target in _draw("AGN", 100)]

    assert any(host is None for host in hosts)
    assert all(host is None or (host.x, host.y) == (0.0, 0.0) for host in hosts)


def test_nothing_lies_south_of_the_surveys_reach():
    for cls in populations.CLASSES:
        assert min(target.here.dec for target in _draw(cls, 50)) > -30.0


def test_unknown_class_is_refused():
    with pytest.raises(ValueError, match="Class should be one of"):
        populations.draw_target("planet", np.random.default_rng(0), RANGE, "noise")
