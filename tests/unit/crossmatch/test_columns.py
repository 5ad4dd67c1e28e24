"""Names of columns: the two publishers' spellings, the user's own, and what is said of a table that lacks one."""

import pytest

from skystamp.crossmatch.columns import resolve
from skystamp.errors import UsageError

IRSA = ["designation", "ra", "dec", "w1mpro", "w1sigmpro", "w2mpro", "w3mpro", "w4mpro"]
VIZIER = ["AllWISE", "RAJ2000", "DEJ2000", "W1mag", "W2mag", "W3mag", "W4mag", "e_W1mag"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        pytest.param(IRSA, ["ra", "dec", "w1mpro", "w2mpro", "w3mpro", "w4mpro"], id="irsa"),
        pytest.param(VIZIER, ["RAJ2000", "DEJ2000", "W1mag", "W2mag", "W3mag", "W4mag"], id="vizier"),
    ],
)
def test_spellings_of_the_publishers_are_known(there, expected):
    assert resolve(there, {}) == expected


def test_users_name_goes_before_the_known_ones():
    assert resolve([*IRSA, "w1best"], {"W1": "w1best"})[2] == "w1best"


def test_only_what_is_needed_is_looked_for():
    assert resolve(["ra", "dec"], {}, needed=("ra", "dec")) == ["ra", "dec"]


def test_lacking_column_is_told_with_its_spellings_and_the_remedy():
    with pytest.raises(
        UsageError, match=r"W3 as a column named w3mpro or W3mag or W3; say its name by --column W3=NAME"
    ):
        resolve([name for name in IRSA if name != "w3mpro"], {})


def test_chosen_column_that_is_not_there_is_told():
    with pytest.raises(UsageError, match="W1 as a column named nothing;"):
        resolve(IRSA, {"W1": "nothing"})


def test_choice_for_a_name_that_is_none_of_ours_is_refused():
    with pytest.raises(UsageError, match="Received: W9"):
        resolve(IRSA, {"W9": "w1mpro"})
