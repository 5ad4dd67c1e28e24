import numpy as np

from skystamp.synthetic import catalogues, sky, sources

HERE = sky.from_galactic(100.0, 40.0)


def test_stars_score_higher_than_galaxies():
    rng = np.random.default_rng(0)
    r = np.full(500, 19.0)

    stars = catalogues.star_scores(rng, r)
    galaxies = catalogues.galaxy_scores(rng, r, np.full(500, 2.0))

    assert np.median(stars) > 0.9
    assert np.median(galaxies) < 0.1


def test_faint_sources_are_unsure():
    scores = catalogues.star_scores(np.random.default_rng(0), np.full(500, 22.8))

    assert 0.2 < np.mean(scores < 0.7) < 0.95


def test_scores_of_both_kinds_overlap():
    rng = np.random.default_rng(1)

    assert (catalogues.star_scores(rng, np.full(500, 20.5)) < 0.5).any()
    assert (catalogues.galaxy_scores(rng, np.full(500, 20.5), np.full(500, 0.6)) > 0.5).any()


def test_ps1_lists_the_object_within_its_error_and_nothing_too_faint():
    rng = np.random.default_rng(2)
    truth = catalogues.true_entries(rng, sources.draw_field(rng, HERE), None, np.array([18.5, 18.0, 17.8, 17.7]))

    listed = catalogues.ps1(rng, truth, HERE)

    assert listed.distance(0.0, 0.0).min() < 0.4
    assert np.nanmin(listed.mags, axis=1).max() < 23.5


def test_ps1_does_not_reach_the_far_south():
    rng = np.random.default_rng(3)
    south = sky.position(100.0, -35.0)
    truth = catalogues.true_entries(rng, sources.draw_field(rng, HERE), None, np.full(4, 18.0))

    assert catalogues.ps1(rng, truth, south).x.size == 0


def test_reference_catalogue_has_false_faint_entries():
    rng = np.random.default_rng(4)
    truth = catalogues.true_entries(rng, sources.draw_field(rng, HERE), None, None)

    listed = catalogues.reference(rng, truth, 2)
    false = np.isnan(listed.score)

    assert false.any()
    assert listed.mags[~false, 1].max() < 23.8
