"""ALeRCE's published client, unchanged, over HTTP: every function that it has, in every format."""

import gzip
import inspect
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from alerce.core import Alerce
from alerce.crossmatch import AlerceXmatch
from alerce.exceptions import APIError, ObjectNotFoundError, ParseError
from astropy.table import Table

from skystamp import avro, stamps
from skystamp.api import tokens
from skystamp.api.tokens import Scope
from skystamp.store import Store
from tests import alerce, making
from tests.alerce import JD, ONE, SYNTHETIC, TWICE
from tests.hosting import hosted

pytestmark = [  # of the client's own ways
    pytest.mark.filterwarnings("ignore:Keyword name 'STAMP_TYPE'"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]

OF_ONE = {"oid": ONE}
QUERIES: dict[str, dict[str, Any]] = {
    "query_objects": {},
    "query_object": OF_ONE,
    "query_lightcurve": OF_ONE,
    "query_detections": OF_ONE,
    "query_non_detections": OF_ONE,
    "query_forced_photometry": OF_ONE,
    "query_magstats": OF_ONE,
    "query_probabilities": OF_ONE,
    "query_features": OF_ONE,
    "query_feature": {**OF_ONE, "name": "magpsf"},
    "query_classifiers": {},
    "query_classes": {"classifier_name": "first-detection", "classifier_version": "7"},
}
STAMPS = {"get_stamps", "get_avro", "plot_stamps"}
# What the client itself can not do, whoever answers.
CLIENT_FAULTS = {
    ("query_object", "votable"): TypeError,
    ("query_lightcurve", "votable"): ValueError,
    ("query_forced_photometry", "csv"): TypeError,
}
FORMATS = ("json", "pandas", "votable", "csv")


def pointed(client: Alerce, address: str) -> Alerce:
    """Return a client that asks an address."""
    for part in (client.legacy_ztf_client, client.legacy_stamps_client.search_client):
        part.load_config_from_object({"ZTF_API_URL": address})
    client.legacy_stamps_client.load_config_from_object({"AVRO_URL": address})
    return client


@pytest.fixture
def client(url: str) -> Alerce:
    return pointed(Alerce(), url)


def test_every_function_of_the_client_is_tried_here():
    public = {name for name, _ in inspect.getmembers(Alerce, inspect.isfunction) if not name.startswith("_")}

    elsewhere = {name for name, _ in inspect.getmembers(AlerceXmatch, inspect.isfunction)}  # catsHTM is not ours
    assert public - elsewhere == set(QUERIES) | STAMPS


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", QUERIES)
def test_query_in_every_format(client: Alerce, name: str, form: str):
    ask = getattr(client, name)

    if (name, form) in CLIENT_FAULTS:
        with pytest.raises(CLIENT_FAULTS[name, form]):
            ask(format=form, survey="ztf", **QUERIES[name])
        return
    found = ask(format=form, survey="ztf", **QUERIES[name])

    assert type(found) in {"json": (dict, list), "pandas": (_frame(),), "votable": (Table,), "csv": (str,)}[form]
    assert len(found) > 0


@pytest.mark.parametrize("name", [name for name in QUERIES if "oid" in QUERIES[name]])
def test_an_unknown_object_is_not_found(client: Alerce, name: str):
    with pytest.raises(ObjectNotFoundError, match="Object not found"):
        getattr(client, name)(**{**QUERIES[name], "oid": "ZTF99nothing"}, survey="ztf")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"page": 0}, "page"),
        ({"page": 2_000, "page_size": 5_000}, "query"),
        ({"page_size": 5_001}, "page_size"),
        ({"order_by": "; drop table objects"}, "order_by"),
        ({"order_mode": "up"}, "order_mode"),
        ({"ra": 1.0, "dec": float("nan")}, "dec"),
        ({"ra": 1.0, "dec": 1.0, "radius": -1}, "radius"),
        ({"ra": 1.0}, "query"),
        ({"probability": 2}, "probability"),
        ({"ndet": [1, 2, 3]}, "ndet"),
        ({"firstmjd": ["inf"]}, "firstmjd.0"),
        ({"ranking": 2}, "query"),
        ({"oid": ["ZTF*", "ZTF2*"]}, "query"),
        ({"clas": "SN"}, "clas"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_a_parse_error_that_names_it(client: Alerce, asked: dict[str, Any], name: str):
    with pytest.raises(ParseError) as raised:
        client.query_objects(survey="ztf", **asked)

    assert raised.value.code == 400
    assert set(raised.value.data) == {name}


def test_lists_page_by_page_are_the_whole_list(client: Alerce):
    whole = client.query_objects(survey="ztf", page_size=100, count=True, format="json")

    pages = [client.query_objects(survey="ztf", page=i, page_size=5, format="json") for i in (1, 2, 3)]

    assert whole["total"] == len(whole["items"]) == 13
    assert [one for page in pages for one in page["items"]] == whole["items"]
    assert [(page["next"], page["prev"], page["has_next"], page["has_prev"]) for page in pages] == [
        (2, None, True, False),
        (3, 1, True, True),
        (None, 2, False, True),
    ]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"class_name": "bogus"}, [TWICE]),
        ({"classifier": "stamp_classifier", "class_name": "bogus"}, [TWICE]),
        ({"classifier": "temporal-2", "order_by": "oid", "order_mode": "DESC", "ndet": [3]}, [ONE]),
        ({"classifier": "lc_classifier"}, []),
        ({"class_name": "LPV"}, []),
        ({"oid": ["ZTF210000003", ONE, "ZTF99nothing", TWICE]}, ["ZTF210000003", ONE, TWICE]),
        ({"oid": [ONE, TWICE], "ra": 150.0, "dec": 2.5}, [ONE, TWICE]),
        ({"oid": "ZTF20t*"}, [TWICE]),
        ({"oid": "ZTF20%"}, []),
        ({"ra": 10.0, "dec": -30.0, "radius": 1.8}, ["ZTF210000000", "ZTF210000001", "ZTF210000002"]),
        ({"firstmjd": [59010.5, 59012.5]}, ["ZTF210000001", "ZTF210000002"]),
        ({"lastmjd": [59001, 59002], "order_by": "lastmjd", "order_mode": "DESC"}, [ONE, TWICE]),
        ({"ndet": [2, 2], "class_name": "bogus", "probability": 0.0}, [TWICE]),
    ],
    ids=str,
)
def test_filters(client: Alerce, asked: dict[str, Any], names: list[str]):
    found = client.query_objects(survey="ztf", format="json", page_size=50, **asked)

    assert [one["oid"] for one in found["items"]] == names


def test_the_answer_that_stands_is_listed_unless_a_version_is_asked(client: Alerce):
    def answer(**asked: Any) -> tuple[str, str, str]:
        (one,) = client.query_objects(survey="ztf", format="json", oid=ONE, **asked)["items"]
        return one["classifier"], one["classifier_version"], one["class"]

    assert answer()[:2] == ("temporal-2", "3")
    assert answer(classifier="stamp_classifier")[:2] == ("stamp_classifier", "temporal-2_3")
    assert answer(classifier="stamp_classifier", classifier_version="temporal-2_3")[2] == answer()[2]
    assert answer(classifier="first-detection", classifier_version="7") == ("first-detection", "7", "SN")
    assert answer(classifier_version="8") == ("first-detection", "8", "SN")


def test_a_second_place_is_listed_by_its_own_probability(client: Alerce):
    asked = {"classifier": "first-detection", "class_name": "bogus", "ranking": 2, "probability": 0.05}

    found = client.query_objects(survey="ztf", page_size=50, **asked)

    assert set(found.oid) == {SYNTHETIC, *(f"ZTF21{i:07d}" for i in range(10))}
    assert set(found["class"]) == {"bogus"}
    assert np.allclose(found.probability, 0.1)


def test_probabilities_have_every_version_and_a_challengers_only_if_asked(client: Alerce):
    found = client.query_probabilities(ONE, format="pandas", survey="ztf")

    first = found[found.ranking == 1].set_index("classifier_name")
    assert list(first.index) == ["stamp_classifier", "first-detection", "temporal-2"]
    assert list(first.classifier_version) == ["temporal-2_3", "7", "3"]
    assert first.loc["stamp_classifier", "probability"] == first.loc["temporal-2", "probability"]
    asked = client.legacy_ztf_client.query_probabilities(ONE, format="pandas", classifier_version="8")
    assert set(asked.classifier_name) == {"first-detection"}


def test_a_rules_class_stands_first_and_the_model_gives_it_nothing(client: Alerce):
    found = client.query_probabilities(TWICE, format="pandas", survey="ztf")

    standing = found[found.classifier_name == "stamp_classifier"]
    assert (standing.class_name.iloc[0], standing.probability.iloc[0]) == ("bogus", 0.0)
    assert sorted(standing.ranking) == [1, 2, 3, 4]


def test_detections_are_what_packets_say(client: Alerce):
    found = client.query_detections(ONE, format="pandas", survey="ztf", sort="mjd", index="candid")

    first = making.CANDIDATE["candid"] + 1
    assert list(found.index) == ["7", str(first), str(first + 1), str(first + 2)]
    assert list(found.mjd) == [JD - 3 - 2400000.5, 59000.0, 59001.0, 59002.0]
    assert list(found.has_stamp) == [False, True, True, True]
    assert list(found.isdiffpos) == [-1, 1, 1, -1]
    assert list(found.fid) == [2, 1, 2, 1]
    assert list(found.nid.iloc[:2]) == [9, 1248]
    assert found.rb.isna().tolist() == [True, False, False, True]
    assert found.parent_candid.iloc[0] == first
    assert not found.corrected.any()
    assert found.magpsf_corr.isna().all()


def test_a_light_curve_has_both_parts(client: Alerce):
    found = client.query_lightcurve(SYNTHETIC, survey="ztf")

    detections = client.query_detections(SYNTHETIC, survey="ztf")
    limits = client.query_non_detections(SYNTHETIC, survey="ztf")
    record = alerce.records()[SYNTHETIC][-1]
    times = {one["jd"] - 2400000.5 for one in record["prv_candidates"] if one["candid"] is None}
    assert found == {"detections": detections, "non_detections": limits}
    assert len(limits) > 0
    assert {one["mjd"] for one in limits} >= times


def test_magstats_are_of_the_detections_in_each_filter(client: Alerce):
    found = client.query_magstats(ONE, format="pandas", survey="ztf", index="fid")

    assert list(found.ndet) == [2, 2]
    assert list(found.magmean) == pytest.approx([18.0, 18.75])
    assert list(found.magsigma) == pytest.approx([0.5**0.5, 1.125**0.5])
    assert list(found.magfirst) == [18.5, 19.5]
    assert list(found.lastmjd) == [59002.0, 59001.0]


def test_an_object_has_its_mean_position_and_the_last_packets_history(client: Alerce):
    found = client.query_object(ONE, survey="ztf")

    assert found["meanra"] == pytest.approx(150.0 + 0.001 / 3, abs=1e-9)
    assert (found["ndet"], found["firstmjd"], found["deltajd"]) == (3, 59000.0, 2.0)
    assert found["g_r_max"] == pytest.approx(-0.5)
    assert (found["ndethist"], found["ncovhist"]) == ("1", 120)


def test_features_are_what_the_model_read_beside_the_stamps(client: Alerce):
    found = client.query_features(ONE, format="pandas", survey="ztf", index="name")

    assert found.loc["magpsf", "value"] == 17.5
    assert found.loc["isdiffpos", "value"] == 0.0
    assert np.isnan(found.loc["rb", "value"])
    assert set(found.version) == {"ztf.alert 4.02"}
    assert client.query_feature(ONE, "Multiband_period", survey="ztf") == []


def test_stamps_are_the_packets_pixels(client: Alerce):
    found = client.get_stamps(ONE, survey="ztf")

    record = alerce.records()[ONE][0]
    for stamp, name in zip(found, making.CUTOUTS, strict=True):
        np.testing.assert_array_equal(stamp.data, stamps.decode(record[name]["stampData"]))
    assert [stamp.shape for stamp in client.get_stamps(ONE, survey="ztf", format="numpy")] == [(63, 63)] * 3


def test_an_avro_has_all_that_the_packet_had_but_file_names(client: Alerce):
    candid = making.CANDIDATE["candid"] + 1

    (found,) = avro.read(client.get_avro(ONE, candid=candid), history=True)
    (sent,) = avro.read(making.packet(alerce.records()[ONE][0]), history=True)

    def told(record: Any) -> Any:
        return {name: value["stampData"] if name in making.CUTOUTS else value for name, value in record.items()}

    assert told(found.record) == told(sent.record)


def test_pictures_are_drawn_in_notebooks_alone_and_their_addresses_answer(client: Alerce, url: str):
    with pytest.warns(RuntimeWarning, match="Notebooks"):
        assert client.plot_stamps(ONE, survey="ztf") is None
    asked = {"oid": ONE, "candid": making.CANDIDATE["candid"] + 1, "format": "png"}

    for band in ("science", "template", "difference"):
        found = httpx.get(f"{url}/get_stamp", params={**asked, "type": band}, follow_redirects=True)
        assert found.headers["content-type"] == "image/png"
        assert found.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["get_stamps", "get_avro"])
def test_what_is_not_there_is_404_which_the_client_does_not_look_at(client: Alerce, url: str, name: str):
    """Its stamp functions read any answer: one that is no gzip is told so, and an Avro is for the caller to open."""
    if name == "get_stamps":
        with pytest.raises(gzip.BadGzipFile):
            client.get_stamps(ONE, candid=5, survey="ztf")
    else:
        assert json.loads(client.get_avro(ONE, candid=5))["code"] == "detection_not_found"
    asked = {"oid": ONE, "candid": 5, "type": "science", "format": "fits"}
    assert httpx.get(f"{url}/ztf/get_stamp", params=asked).status_code == 404


@pytest.mark.parametrize("name", [name for name in QUERIES if name != "query_classes"])
def test_lsst_is_said_to_be_elsewhere(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    configured(url, tmp_path, monkeypatch)
    ask = getattr(Alerce(), name)

    with pytest.raises((ObjectNotFoundError, NotImplementedError)) as raised:
        ask(survey="lsst", **QUERIES[name])

    assert isinstance(raised.value, NotImplementedError) or raised.value.message == "There are no objects of LSST here."


def test_a_downloaded_configuration_is_enough(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    configured(url, tmp_path, monkeypatch)
    client = Alerce()

    assert client.query_object(ONE, survey="ztf")["oid"] == ONE
    assert len(client.query_forced_photometry(ONE, survey="ztf")) == 1
    assert len(client.get_stamps(ONE, candid=making.CANDIDATE["candid"] + 1, survey="ztf")) == 3


def test_a_token_goes_with_the_clients_sessions(reading: Store, tmp_path: Path):
    file = tmp_path / "tokens.json"
    secrets = {name: tokens.add(file, name, [scope]) for name, scope in (("eve", Scope.READ), ("dan", Scope.CLASSIFY))}

    with hosted(alerce.site(reading, file)) as address:
        client = pointed(Alerce(), address)
        with pytest.raises(APIError, match="A token should come with the request"):
            client.query_object(ONE, survey="ztf")
        client.legacy_ztf_client.session.headers["Authorization"] = f"Bearer {secrets['dan']}"
        with pytest.raises(APIError, match="scope read"):
            client.query_object(ONE, survey="ztf")
        client.legacy_ztf_client.session.headers["Authorization"] = f"Bearer {secrets['eve']}"
        assert client.query_object(ONE, survey="ztf")["oid"] == ONE
        assert len(client.query_forced_photometry(ONE, survey="ztf")) == 1  # sent on to the prefix with its token


def configured(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new clients read the configuration that the service answers."""
    file = tmp_path / "client.json"
    file.write_bytes(httpx.get(f"{url}/ztf/client.json").content)
    monkeypatch.setenv("ALERCE_CONFIG_PATH", str(file))


def _frame() -> type:
    import pandas as pd

    return pd.DataFrame
