"""tune_jobs: what the arguments say."""

import pytest

from tune_jobs import arguments, first_detection, temporal, temporal_ablation, temporal_cells


@pytest.mark.parametrize(
    ("text", "expected"),
    [("batch=32", ("batch", 32)), ("theta=0.1", ("theta", 0.1)), ("features=none", ("features", "none"))],
)
def test_a_setting_is_json_or_a_word(text: str, expected: tuple[str, object]) -> None:
    assert arguments.setting(text) == expected


def test_the_papers_space_is_the_papers() -> None:
    sizes = {name: len(values) for name, values in first_detection.PAPER.items()}

    assert sizes == {"learning_rate": 5, "beta": 5, "batch": 3, "crop": 3, "dropout": 3, "kernel": 3}
    first = {name: values[0] for name, values in first_detection.PAPER.items()}
    assert first == {"learning_rate": 1e-3, "beta": 0.5, "batch": 64, "crop": 21, "dropout": 0.5, "kernel": 5}


def test_smoke_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["first_detection", "--data", "x", "--smoke"])

    arguments = first_detection._arguments()

    assert (arguments.trials, arguments.seeds, arguments.max_iterations) == (2, 1, 40)


def test_what_is_set_holds_for_all_trainings() -> None:
    given = temporal._arguments(["--data", "x", "--set", "k=4", "--set", "cell=gru", "--max-iterations", "700"])

    assert arguments.fixed(given) == {"max_iterations": 700, "validate_every": 50, "k": 4, "cell": "gru"}


def test_table_five_is_the_papers_and_eight_transformers() -> None:
    count = dict.fromkeys(temporal_cells.CELLS, 0)
    for settings in temporal_cells.table5(4).values():
        count[settings["cell"]] += 1

    recurrent = {"lstm": 9, "gru": 9, "simple_rnn": 9}
    assert count == {**recurrent, "gamma": 8, "tdnn": 1, "conv1d": 3, "transformer": 8}


def test_convolutions_are_no_longer_than_the_sequence() -> None:
    windows = {n: [s["window"] for s in temporal_cells.of("table5", n, ["conv1d"]).values()] for n in (2, 5)}

    assert windows == {2: [2], 5: [2, 3, 4, 5]}


@pytest.mark.parametrize("n", temporal.DETECTIONS)
def test_the_short_space_has_each_cell_once_and_lies_in_table_five(n: int) -> None:
    short = temporal_cells.short(n)

    assert [settings["cell"] for settings in short.values()] == list(temporal_cells.CELLS)
    assert short.items() <= temporal_cells.table5(n).items()


def test_wider_recurrent_cells_can_be_asked_for() -> None:
    assert "lstm 256x3" in temporal_cells.of("table5", 5, ["lstm"], units=[256])


@pytest.mark.parametrize("cells", [["lstn"], ["lstm", "mamba"], ["tdnn"]])
def test_cells_that_are_not_there_are_refused(cells: list[str]) -> None:
    with pytest.raises(ValueError, match="cells should be of lstm"):
        temporal_cells.of("smoke" if cells == ["tdnn"] else "table5", 3, cells)


def test_temporal_studies_are_of_all_sequences_and_ten_seeds() -> None:
    for job in (temporal, temporal_ablation):
        given = job._arguments(["--data", "x"])

        assert (given.detections, given.seeds) == ([2, 3, 4, 5], 10)


def test_temporal_smoke_is_small() -> None:
    given = temporal._arguments(["--data", "x", "--smoke"])

    assert (given.detections, given.seeds, given.max_iterations) == ([2], 1, 6)
    assert [len(temporal._configurations(given, n)) for n in given.detections] == [2]


def test_the_ablation_takes_every_part_away_with_and_without_allwise() -> None:
    whole = {"images": True, "metadata": True, "allwise": True}

    kept = {tuple({**whole, **taken}.values()) for taken in temporal_ablation.PARTS.values()}

    both, images, metadata = (True, True), (True, False), (False, True)
    assert kept == {(*parts, allwise) for parts in (both, images, metadata) for allwise in (True, False)}


def test_the_ablation_can_be_of_the_cells_that_the_paper_chose() -> None:
    given = temporal_ablation._arguments(["--data", "x"])

    cells = {n: temporal_ablation._settings(given, n)["cell"] for n in given.detections}

    assert cells == {2: "conv1d", 3: "conv1d", 4: "conv1d", 5: "lstm"}
