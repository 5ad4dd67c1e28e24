"""The exception tree and the reason codes, which are stored and so may never change."""

import pickle

import pytest

from skystamp import errors
from skystamp.errors import BundleError, DatasetError, Fault, Reason, Reject, SkystampError, UsageError

CODES = {
    *("not_avro", "truncated_avro", "damaged_archive", "unknown_schema", "too_large", "missing_field", "bad_field"),
    *("missing_cutout", "not_gzip", "truncated_gzip", "corrupt_gzip", "not_fits", "wrong_shape"),
}


def test_reason_codes_are_the_stable_ones():
    assert {reason.value for reason in Reason} >= CODES


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_one_sentence(reason):
    assert reason.sentence.endswith(".")
    assert reason.sentence[0].isupper()


def test_no_two_reasons_share_a_sentence():
    assert len({reason.sentence for reason in Reason}) == len(Reason)


def test_reject_says_its_code_and_what_was_found():
    reject = Reject(Reason.NOT_FITS, "science: no image")

    assert str(reject) == "not_fits: science: no image"
    assert (reject.reason, reject.detail) == (Reason.NOT_FITS, "science: no image")


def test_reject_crosses_processes():
    again = pickle.loads(pickle.dumps(Reject(Reason.TOO_LARGE, "3 GB")))

    assert (again.reason, again.detail, str(again)) == (Reason.TOO_LARGE, "3 GB", "too_large: 3 GB")


@pytest.mark.parametrize("fault", [UsageError, DatasetError, BundleError])
def test_faults_are_no_rejects(fault):
    assert issubclass(fault, Fault)
    assert not issubclass(fault, Reject)


def test_one_base_of_all_exceptions():
    ours = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]

    assert all(issubclass(each, SkystampError) for each in ours)
