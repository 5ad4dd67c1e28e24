"""Histories in, outcomes out: each alert is answered for its object's sequence as of it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skystamp import classify, surveys
from skystamp.avro import Decoded
from skystamp.classify import Classification, Models, Rejection
from skystamp.errors import Reason, Reject, UsageError
from tests import faking, making

JD = 2459000.5
ALL = {"first-detection": faking.model(), **{f"temporal-{n}": faking.temporal(n) for n in range(2, 6)}}
MODELS = Models(ALL)


class Sky:
    """A catalogue with one source at every position north of declination 0."""

    def match(self, ra, dec):
        found = np.column_stack(
            [np.full_like(ra, 0.3), 15 + ra / 360, 14 + dec / 90, np.full_like(ra, 11.0), ra * 0 + 8]
        )
        return np.where(dec[:, None] > 0, found, np.nan)


def alert(number: int, days: float, name: str = "ZTF20aaaaaaa", **candidate):
    made = making.record(number % 7, {"jd": JD + days, "magpsf": 18.0 + number / 10, **candidate}, objectId=name)
    made["candid"] = made["candidate"]["candid"] = 1000 + number
    return surveys.read(made, "ztf.alert")


def nightly(count: int, name: str = "ZTF20aaaaaaa", first: int = 0):
    return [alert(first + i, float(i), name) for i in range(count)]


def test_the_model_is_chosen_by_the_number_of_detections_so_far():
    outcomes = classify.histories(nightly(7), MODELS)

    assert [outcome.model for outcome in outcomes] == [
        "first-detection",
        *(f"temporal-{n}" for n in range(2, 6)),
        *["temporal-5"] * 2,
    ]
    assert [outcome.n_detections for outcome in outcomes] == [1, 2, 3, 4, 5, 5, 5]
    assert [("beyond_range" in outcome.flags) for outcome in outcomes] == [False] * 5 + [True] * 2


def test_beyond_five_detections_the_first_five_answer():
    outcomes = classify.histories(nightly(7), MODELS)

    assert outcomes[6].probabilities == outcomes[5].probabilities == outcomes[4].probabilities


def test_a_single_detection_is_answered_as_without_history():
    (alone,) = classify.histories(nightly(1), MODELS)

    assert [alone] == classify.alert_outcomes(nightly(1), ALL["first-detection"])


def test_objects_do_not_mix():
    one, other = nightly(3, "ZTF20aaaaaaa"), nightly(3, "ZTF20bbbbbbb", first=10)
    together = [alert for pair in zip(one, other, strict=True) for alert in pair]

    outcomes = classify.histories(together, MODELS)

    assert outcomes[::2] == classify.histories(one, MODELS)
    assert outcomes[1::2] == classify.histories(other, MODELS)


def test_one_too_close_is_answered_by_the_sequence_before_it():
    alerts = [alert(0, 0.0), alert(1, 1.0), alert(2, 1.1), alert(3, 2.0)]

    outcomes = classify.histories(alerts, MODELS)

    assert [outcome.n_detections for outcome in outcomes] == [1, 2, 2, 3]
    assert outcomes[2].probabilities == outcomes[1].probabilities
    assert outcomes[2].alert_id == 1002
    assert "too_close" in outcomes[2].flags
    assert "too_close" not in outcomes[1].flags


def test_a_repeated_packet_gets_the_same_outcome_and_counts_once():
    alerts = nightly(3)

    outcomes = classify.histories([*alerts, alerts[1], alerts[0]], MODELS)

    assert outcomes[:3] == classify.histories(alerts, MODELS)
    assert outcomes[3:] == [outcomes[1], outcomes[0]]


def test_a_packet_that_can_not_be_decoded_is_rejected_and_takes_no_part():
    alerts = nightly(3)
    spoiled = dataclasses.replace(alerts[1], cutouts={**alerts[1].cutouts, "science": b"no gzip"})

    outcomes = classify.histories([alerts[0], spoiled, alerts[2]], MODELS)

    assert isinstance(outcomes[1], Rejection)
    assert outcomes[1].reason is Reason.NOT_GZIP
    assert [outcomes[0], outcomes[2]] == classify.histories([alerts[0], alerts[2]], MODELS)


def test_records_and_faults_keep_their_order():
    records = [making.record(i, {"jd": JD + i}, objectId="ZTF20aaaaaaa") for i in range(3)]
    items = [
        Decoded(records[0], "ztf.alert"),
        Reject(Reason.NOT_AVRO, "x"),
        *(Decoded(r, "ztf.alert") for r in records[1:]),
    ]

    outcomes = classify.history_records(items, MODELS)

    assert [isinstance(outcome, Rejection) for outcome in outcomes] == [False, True, False, False]
    assert [outcome.n_detections for outcome in outcomes if isinstance(outcome, Classification)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("served", "used"),
    [((2, 4), [1, 2, 2, 4, 4]), ((), [1] * 5), ((5,), [1, 1, 1, 1, 5])],
    ids=["2 and 4", "none", "5"],
)
def test_where_no_model_is_for_a_number_the_next_smaller_answers_flagged(served, used):
    models = Models({"first-detection": faking.model(), **{f"temporal-{n}": faking.temporal(n) for n in served}})

    outcomes = classify.histories(nightly(5), models)

    assert [outcome.n_detections for outcome in outcomes] == used
    wanted = [n > u for n, u in zip(range(1, 6), used, strict=True)]
    assert [("fewer_detections_used" in outcome.flags) for outcome in outcomes] == wanted


@pytest.mark.parametrize("crop", [33, 32])
def test_the_crop_is_enough_for_the_largest_model_and_shares_its_centre_with_each(crop):
    models = Models({**ALL, "temporal-2": faking.temporal(2, crop=crop)})

    assert classify.histories(nightly(1), models) == classify.histories(nightly(1), MODELS)
    assert models.crop == 33


def test_without_a_catalogue_each_temporal_classification_says_so():
    outcomes = classify.histories(nightly(3), MODELS)

    assert [("no_catalogue" in outcome.flags) for outcome in outcomes] == [False, True, True]


def test_with_a_catalogue_an_unmatched_object_is_flagged_and_a_matched_one_is_not():
    north, south = nightly(2, "ZTF20north00"), [alert(20 + i, float(i), "ZTF20south00", dec=-5.0) for i in range(2)]

    outcomes = classify.histories([*north, *south], Models(ALL, Sky()))

    assert [("no_wise_match" in outcome.flags) for outcome in outcomes] == [False, False, False, True]
    assert not any("no_catalogue" in outcome.flags for outcome in outcomes)
    assert outcomes[1].probabilities != classify.histories(north, MODELS)[1].probabilities
    assert outcomes[3].probabilities == classify.histories(south, MODELS)[1].probabilities


def test_a_model_that_reads_no_allwise_says_nothing_of_the_catalogue():
    static = faking.STATIC[:-3]
    means = {"dynamic": (0.0,) * 10, "static": (0.0,) * len(static)}
    bare = faking.temporal(2, static=static, means=means, deviations={k: (1.0,) * len(v) for k, v in means.items()})

    outcome = classify.histories(nightly(2), Models({"first-detection": faking.model(), "temporal-2": bare}))[1]

    assert outcome.flags == ()


FAINT, BRIGHT = 20.5, 18.0


@pytest.mark.parametrize(
    ("magnitudes", "bogus"),
    [
        ((FAINT, FAINT), [False, True]),
        ((FAINT, BRIGHT), [False, False]),
        ((BRIGHT, FAINT), [False, False]),
        ((FAINT, FAINT, BRIGHT, BRIGHT), [False, True, True, True]),
        ((FAINT, BRIGHT, FAINT), [False, False, False]),
    ],
    ids=str,
)
def test_bogus_at_the_first_and_the_second_detection_means_bogus(magnitudes, bogus):
    models = Models({**ALL, "first-detection": faking.by_magnitude()})
    alerts = [alert(i, float(i), magpsf=magnitude) for i, magnitude in enumerate(magnitudes)]

    outcomes = classify.histories(alerts, models)

    assert [any(rule.rule == "bogus_twice" for rule in outcome.rules) for outcome in outcomes] == bogus
    assert [outcome.label == "bogus" for outcome in outcomes[1:]] == bogus[1:]


def test_the_bogus_rule_leaves_the_temporal_models_probabilities_and_says_why():
    models = Models({**ALL, "first-detection": faking.by_magnitude()})
    alerts = [alert(i, float(i), magpsf=FAINT) for i in range(2)]

    outcome = classify.histories(alerts, models)[1]

    assert outcome.probabilities == classify.histories(alerts, MODELS)[1].probabilities
    (rule,) = outcome.rules
    assert (rule.label, rule.detail) == ("bogus", "first-detection 7 says bogus of 1000 and 1001")


def test_the_bogus_rule_reads_the_first_two_accepted_detections():
    models = Models({**ALL, "first-detection": faking.by_magnitude()})
    alerts = [alert(0, 0.0, magpsf=FAINT), alert(1, 0.05, magpsf=BRIGHT), alert(2, 1.0, magpsf=FAINT)]

    assert classify.histories(alerts, models)[2].label == "bogus"


def test_a_sequence_that_begins_late_in_its_history_is_flagged():
    first, late = nightly(2), [alert(i, float(i), ndethist=9 + i) for i in range(2)]

    assert "not_first_detection" not in classify.histories(first, MODELS)[1].flags
    assert "not_first_detection" in classify.histories(late, MODELS)[1].flags


def test_flags_and_rules_of_the_alert_itself_stay():
    alerts = [*nightly(1), alert(1, 1.0, isdiffpos="f", ssdistnr=1.0, ssnamenr="42", ssmagnr=19.0)]

    outcome = classify.histories(alerts, MODELS)[1]

    assert "negative_difference" in outcome.flags
    assert [rule.rule for rule in outcome.rules] == ["solar_system_match"]
    assert outcome.label in outcome.probabilities


def test_only_wanted_alerts_are_answered_and_the_others_are_history():
    alerts = nightly(4)

    assert classify.histories(alerts, MODELS, wanted=[3, 1]) == [
        classify.histories(alerts, MODELS)[3],
        classify.histories(alerts, MODELS)[1],
    ]


def test_nothing_in_gives_nothing_out():
    assert classify.histories([], MODELS) == []


@pytest.mark.parametrize(
    ("by_name", "word"),
    [
        ({"temporal-2": faking.temporal(2)}, "first-detection"),
        ({**ALL, "temporal-3": faking.temporal(2)}, "temporal-3"),
        ({**ALL, "temporal-6": faking.temporal(6)}, "temporal-6"),
        ({"first-detection": faking.temporal(2)}, "first-detection"),
    ],
    ids=["no first", "another length", "no such name", "sequences for first"],
)
def test_models_that_could_not_answer_are_refused(by_name, word):
    with pytest.raises(UsageError, match=word):
        Models(by_name)


def test_a_temporal_model_is_refused_where_each_packet_stands_by_itself():
    with pytest.raises(UsageError, match="single detections"):
        classify.alert_outcomes(nightly(1), faking.temporal(2))


HOURS = st.lists(st.integers(0, 60), min_size=1, max_size=6, unique=True)


@settings(max_examples=25, deadline=None)
@given(HOURS, st.randoms(use_true_random=False))
def test_neither_arrival_order_nor_repetition_matters(hours, random):
    alerts = [alert(i, h / 24) for i, h in enumerate(hours)]
    expected = {o.alert_id: o for o in classify.histories(alerts, MODELS)}
    arrived = [*alerts, *random.choices(alerts, k=2)]
    random.shuffle(arrived)

    outcomes = classify.histories(arrived, MODELS)

    assert [outcome.alert_id for outcome in outcomes] == [one.alert_id for one in arrived]
    assert all(outcome == expected[outcome.alert_id] for outcome in outcomes)


@settings(max_examples=25, deadline=None)
@given(HOURS)
def test_live_packet_by_packet_answers_what_the_whole_archive_does(hours):
    alerts = [alert(i, h / 24) for i, h in enumerate(sorted(hours))]

    live = [classify.histories(alerts[: i + 1], MODELS, wanted=[i])[0] for i in range(len(alerts))]

    assert live == classify.histories(alerts, MODELS)
