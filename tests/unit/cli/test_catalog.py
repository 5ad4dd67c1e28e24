"""`skystamp catalog`: build and match by command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp import crossmatch
from skystamp.cli import app
from skystamp.cli.catalog import named
from skystamp.errors import UsageError
from tests.skies import sky

run = CliRunner().invoke


def test_table_becomes_a_catalogue_and_positions_find_their_matches(tmp_path: Path):
    table = sky([10.0, 20.0, float("nan")], [0.0, 0.0, 0.0]).write(
        tmp_path / "t.parquet", ("alpha", "delta", "W1mag", "W2mag", "W3mag", "W4mag")
    )
    (tmp_path / "p.csv").write_text("lon,dec\n10,0\n11,0\n")
    names = ["--column", "ra=alpha", "--column", "dec=delta"]

    built = run(app, ["catalog", "build", str(table), "--out", str(tmp_path / "sky"), "--name", "mine", *names])
    wanted = ["catalog", "match", str(tmp_path / "p.csv"), "--catalogue", str(tmp_path / "sky")]
    matched = run(app, [*wanted, "--out", str(tmp_path / "m.csv"), "--position-column", "ra=lon"])

    assert (built.exit_code, matched.exit_code) == (0, 0), built.output + matched.output
    assert "1 rows have no position" in built.output
    assert "2 sources in" in built.output
    assert "1 of 2 positions have a source of mine within 2 arcsec" in " ".join(matched.output.split())
    assert (tmp_path / "m.csv").read_text().splitlines()[1].startswith("10,0,0,10,10.125,10.25,10.375")
    assert "hats_creation_date=2" in (tmp_path / "sky" / "hats.properties").read_text()
    assert crossmatch.open_catalogue(str(tmp_path / "sky")).name == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build", "missing.csv", "--out", "OUT"], "the table should be a file"),
        (["match", "missing.csv", "--catalogue", "OUT", "--out", "OUT.csv"], "HATS layout"),
        (["build", "missing.csv", "--out", "OUT", "--column", "W1"], "OURS=THEIRS"),
        (["build", "missing.csv", "--out", "OUT", "--partition-rows", "0"], "--partition-rows"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(tmp_path: Path, arguments: list[str], sentence: str):
    result = run(app, ["catalog", *[part.replace("OUT", str(tmp_path / "out")) for part in arguments]])

    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_named_columns():
    assert named(["ra=RA_ICRS", "W1=a=b"]) == {"ra": "RA_ICRS", "W1": "a=b"}
    for wrong in ("W1", "=x", "W1="):
        with pytest.raises(UsageError, match="OURS=THEIRS"):
            named([wrong])


def test_help_of_both_is_there():
    text = run(app, ["catalog", "--help"]).output

    assert "build" in text
    assert "match" in text
