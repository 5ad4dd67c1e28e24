"""What stands in the URL: read, written, and left out where it can not be."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skystamp import taxonomy
from skystamp.hunter import query
from skystamp.hunter.query import Query


def again(one: Query) -> Query:
    from urllib.parse import parse_qsl

    return query.read(dict(parse_qsl(one.url().removeprefix("?"))))


@given(
    st.fixed_dictionaries(
        {
            "label": st.sampled_from(taxonomy.CLASSES),
            "minimum": st.integers(0, 100).map(lambda n: n / 100),
            "number": st.integers(1, 1000),
            "hours": st.integers(1, 200),
            "begin": st.none() | st.dates(date(2018, 1, 1), date(2020, 1, 1)),
            "end": st.none() | st.dates(date(2020, 1, 2), date(2030, 1, 1)),
            "search": st.text("aZ0+&=%<\"'é", max_size=20),
            "sort": st.sampled_from(query.SORTS),
            "ascending": st.booleans(),
            "state": st.sampled_from(query.STATES),
            "hidden": st.booleans(),
            "stretch": st.sampled_from(query.STRETCHES),
            "opened": st.text("aZ0/+&=%<\"'é", max_size=20),
        }
    )
)
def test_what_is_written_into_a_url_is_read_from_it(values):
    one = Query(**values)

    assert again(one) == one


def test_defaults_are_not_written():
    assert Query().url() == "?"
    assert Query().url(number=50) == "?n=50"


@pytest.mark.parametrize(
    "wrong",
    ["n=0", "n=1001", "n=x", "p=2", "p=nan", "hours=-1", "class=TDE", "from=yesterday", "sort=no", "hidden=yes"],
)
def test_what_can_not_be_is_left_out_and_told(wrong):
    name, _, value = wrong.partition("=")

    assert query.read({name: value}) == Query(ignored=(wrong,))


def test_nights_in_the_wrong_order_are_put_right():
    found = query.read({"from": "2026-11-21", "until": "2026-11-20"})

    assert (found.begin, found.end) == (date(2026, 11, 20), date(2026, 11, 21))


@pytest.mark.parametrize(
    ("changes", "window"),
    [
        pytest.param({}, (59999.0, 60000.0), id="the last 24 hours"),
        pytest.param({"hours": 12}, (59999.5, 60000.0), id="the last 12 hours"),
        pytest.param({"begin": date(2023, 2, 20)}, (59995.0, 60000.0), id="from a night on"),
        pytest.param({"end": date(2023, 2, 20)}, (0.0, 59996.0), id="until a night, with it"),
        pytest.param({"begin": date(2023, 2, 20), "end": date(2023, 2, 20)}, (59995.0, 59996.0), id="one night"),
    ],
)
def test_windows(changes, window):
    assert replace(Query(), **changes).window((60000.0 - 40587.0) * 86400) == window


def test_a_moment_beyond_the_calendar_is_its_end():
    assert query.moment(1e9).year == 9999
    assert query.moment(-1e9).year == 1
    assert f"{query.moment(60000.25):%Y-%m-%d %H}" == "2023-02-25 06"
