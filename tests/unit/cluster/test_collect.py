"""cluster.data.collect: every packet is accepted, rejected or unlabelled."""

import copy
from typing import Any

import numpy as np
import pytest

from skystamp import inputs, surveys
from skystamp.avro import Decoded
from skystamp.cluster.data import collect, shards
from skystamp.errors import Reason, Reject


def gathered(items: list[Decoded | Reject], labels: dict[str, str]) -> tuple[list[int], Any, collect.Tally]:
    tally = collect.Tally("night.avro")
    pieces = list(collect.rows(iter(items), labels, tally))
    return [row for rows, _ in pieces for row in rows], [table for _, table in pieces], tally


def decoded(records: list[dict[str, Any]]) -> list[Decoded | Reject]:
    return [Decoded(record, "ztf.alert") for record in records]


def test_every_packet_is_accounted_for_once(records: list[dict[str, Any]]) -> None:
    first = records[0]["objectId"]
    broken = copy.deepcopy(records[0])
    broken["cutoutScience"]["stampData"] = b"no gzip"
    damaged = Reject(Reason.TRUNCATED_AVRO, "cut")
    misread = {**records[0], "candidate": {**records[0]["candidate"], "magpsf": None}}
    items = [damaged, *decoded([broken, misread, *records])]

    rows, tables, tally = gathered(items, {first: "VS"})

    mine = [i + 3 for i, record in enumerate(records) if record["objectId"] == first]
    assert rows == mine
    assert [row["reason"] for row in tally.rejections] == ["truncated_avro", "missing_field", "not_gzip"]
    assert [row["row"] for row in tally.rejections] == [0, 2, 1]
    assert tally.rejections[2]["alert_id"] == records[0]["candid"]
    assert tally.packets == tally.accepted + tally.unlabelled + len(tally.rejections) == len(items)
    assert set(tables[0]["label"].to_pylist()) == {"VS"}


def test_rows_hold_exactly_what_inputs_collect_makes(records: list[dict[str, Any]]) -> None:
    labels = {record["objectId"]: "SN" for record in records}
    expected, _, _ = inputs.collect([surveys.read(record, "ztf.alert") for record in records])

    _, tables, _ = gathered(decoded(records), labels)

    raw = shards.raw_of(tables[0])
    np.testing.assert_array_equal(raw.stamps, expected.stamps)
    np.testing.assert_array_equal(raw.metadata, expected.metadata)


@pytest.mark.parametrize("piece", [1, 4])
def test_pieces_are_bounded_and_lose_nothing(
    records: list[dict[str, Any]], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "PIECE", piece)
    labels = {record["objectId"]: "SN" for record in records}

    rows, tables, _ = gathered(decoded(records), labels)

    assert max(map(len, tables)) <= piece
    assert rows == list(range(len(records)))


def test_alerts_of_another_survey_are_rejected(records: list[dict[str, Any]]) -> None:
    tally = collect.Tally("night.avro")

    pieces = list(collect.rows(decoded(records[:1]), {}, tally, survey="lsst"))

    assert pieces == []
    assert [row["reason"] for row in tally.rejections] == ["unknown_schema"]
