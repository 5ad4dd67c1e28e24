import itertools

from skystamp.synthetic import SyntheticObject, simulate_object


def test_previous_candidates_lie_in_the_thirty_days_before(every_object: list[SyntheticObject]):
    for made in every_object:
        for record in made.records:
            jd = record["candidate"]["jd"]
            earlier = [row["jd"] for row in record["prv_candidates"] or []]
            assert all(jd - 30.0 <= one < jd for one in earlier)
            assert earlier == sorted(earlier)


def test_upper_limits_have_a_limit_and_no_magnitude(every_object: list[SyntheticObject]):
    limits = [row for made in every_object for row in made.records[0]["prv_candidates"] or [] if row["candid"] is None]

    assert limits
    assert all(row["magpsf"] is None and row["isdiffpos"] is None for row in limits)
    assert all(15.0 < row["diffmaglim"] < 22.5 for row in limits)


def test_packets_sent_before_are_repeated_as_they_were():
    made = simulate_object(11, 0, cls="VS", max_detections=4)
    repeated = 0

    for earlier, later in itertools.pairwise(made.records):
        for row in later["prv_candidates"] or []:
            if row["candid"] == earlier["candid"]:
                repeated += 1
                assert row["magpsf"] == earlier["candidate"]["magpsf"]
                assert row["jd"] == earlier["candidate"]["jd"]

    assert repeated > 0


def test_detections_listed_before_are_no_more_than_ndethist(every_object: list[SyntheticObject]):
    for made in every_object:
        record = made.records[0]
        seen = [row for row in record["prv_candidates"] or [] if row["candid"] is not None]
        assert len(seen) < record["candidate"]["ndethist"] + 1


def test_forced_photometry_covers_the_same_exposures(every_object: list[SyntheticObject]):
    for made in every_object:
        record = made.records[0]
        before = [row["jd"] for row in record["prv_candidates"] or []]
        assert [row["jd"] for row in record["fp_hists"] or []] == before
