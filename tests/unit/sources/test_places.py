"""sources.places: what is found, in which order, and what is said of the rest."""

from pathlib import Path

import pytest

from skystamp import sources
from skystamp.errors import UsageError
from skystamp.sources.places import kind_of


def touch(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")


def test_a_folder_gives_its_alert_files_sorted_and_names_the_others(tmp_path: Path) -> None:
    touch(tmp_path, "b.avro", "a/z.avro", "a/night.tar.gz", "c.AVRO.GZ", "index.csv", "a/.hidden.avro")

    found = sources.find([tmp_path])

    names = [source.url.removeprefix(f"{tmp_path}/") for source in found.sources]
    assert names == ["a/night.tar.gz", "a/z.avro", "b.avro", "c.AVRO.GZ"]
    assert [source.kind for source in found.sources] == ["tar.gz", "avro", "avro", "avro.gz"]
    assert [Path(path).name for path in found.skipped] == [".hidden.avro", "index.csv"]
    assert found.size == 20


def test_paths_keep_the_order_in_which_they_are_given(tmp_path: Path) -> None:
    touch(tmp_path, "b.avro", "a.avro")

    found = sources.find([tmp_path / "b.avro", tmp_path / "a.avro"])

    assert [source.name for source in found.sources] == ["b.avro", "a.avro"]


def test_a_file_url_is_the_same_as_its_path(tmp_path: Path) -> None:
    touch(tmp_path, "b.avro", "sub/a.tar")

    found = sources.find([f"file://{tmp_path}"])

    assert [source.url for source in found.sources] == [f"file://{tmp_path}/b.avro", f"file://{tmp_path}/sub/a.tar"]
    with found.sources[0].open() as stream:
        assert stream.read(9) == b"12345"


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        (["/no/such/folder"], "the path should exist"),
        ([], "at least one path should be or hold"),
        (["nonsense://x/y.avro"], "the URL should be of a file system"),
        (["http://127.0.0.1:9/night.tar"], "the URL should answer"),
    ],
    ids=["absent", "none", "unknown-scheme", "no-server"],
)
def test_places_that_can_not_be_read_are_usage_errors(paths: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        sources.find(paths)


def test_a_folder_without_alert_files_is_a_usage_error(tmp_path: Path) -> None:
    touch(tmp_path, "index.csv")

    with pytest.raises(UsageError, match=r"ending in \.avro"):
        sources.find([tmp_path])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ztf_public_20180601.tar.gz", "tar.gz"),
        ("a/b.tgz", "tar.gz"),
        ("x.tar", "tar"),
        ("https://a.b/c.avro?token=1", "avro"),
        ("x.avro.gz", "avro.gz"),
        ("x.gz", None),
        ("._x.avro", None),
    ],
)
def test_kind_is_told_by_the_end_of_the_name(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind
