import json
from importlib.resources import files

import pytest

SCHEMA = json.loads(files("skystamp.surveys").joinpath("ztf_alert.avsc").read_text(encoding="utf-8"))


def _fields(record: dict) -> dict[str, dict]:
    return {field["name"]: field for field in record["fields"]}


def test_each_field_is_documented_and_each_default_fits_its_type():
    parts = [SCHEMA, _fields(SCHEMA)["candidate"]["type"]]
    parts += [_fields(SCHEMA)[name]["type"][1]["items"] for name in ("prv_candidates", "fp_hists")]

    for part in parts:
        for field in part["fields"]:
            assert field["doc"]
            assert ("default" in field) == (isinstance(field["type"], list) and field["type"][0] == "null")


@pytest.mark.parametrize("name", ["jd", "fid", "candid", "isdiffpos", "ra", "dec", "magpsf", "ndethist", "rbversion"])
def test_what_the_survey_requires_may_not_be_null(name: str):
    assert isinstance(_fields(_fields(SCHEMA)["candidate"]["type"])[name]["type"], str)


def test_version_is_402():
    assert SCHEMA["version"] == "4.02"
