"""tune_jobs: what the arguments say."""

import pytest

from skystamp import statistics
from tune_jobs import (
    arguments,
    enhanced_grid,
    entropy_beta,
    first_detection,
    images_only,
    pareto,
    stamp_random_search,
    tables,
    temporal,
    temporal_ablation,
    temporal_cells,
)


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


def test_smoke_is_small() -> None:
    given = first_detection._arguments(["--data", "x", "--smoke"])

    assert (given.trials, given.seeds, given.max_iterations) == (1, 1, 4)


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


def test_the_grid_is_the_papers() -> None:
    given = enhanced_grid._arguments(["--data", "x"])

    found = enhanced_grid.grid(given.crop, given.k, given.theta)

    assert len(found) == 4 * 5 * 7
    assert (given.seeds, given.top, given.top_seeds) == (5, 5, 20)
    assert found["a 33, k 6, theta 7"] == {"crop": 33, "k": 6, "theta": pytest.approx(0.1222, abs=1e-4)}
    assert enhanced_grid.name_of(enhanced_grid.BASELINE) in found


def test_finalists_are_the_best_with_the_baseline_and_the_fully_random_one_each_once() -> None:
    best = [enhanced_grid.PUBLISHED, enhanced_grid.BASELINE]

    found = enhanced_grid.finalists(best)

    assert list(found) == ["a 33, k 6, theta 4.58", "a 21, k 4, theta 0", "a 21, k 4, theta 360"]


def row(name: str, scores: list[float], **more: object) -> dict[str, object]:
    mean = sum(scores) / len(scores)
    numbers = {"validation": mean, "validation_spread": 0.01, "test": mean, "test_spread": None, "trainings": 4}
    times = {"ms_single": 2.0, "ms_batch": 0.05, "chosen": False, "settings": {"crop": 21, "k": 4}}
    return {"configuration": name, **numbers, **times, "validation_each": scores, "test_each": scores, **more}


GOOD, BAD = [0.90, 0.91, 0.92, 0.93], [0.80, 0.81, 0.82, 0.83]


def test_finalists_are_tested_against_the_baseline_and_the_fully_random_one() -> None:
    names = list(enhanced_grid.finalists([enhanced_grid.PUBLISHED]))
    rows = [row(name, scores) for name, scores in zip(names, (GOOD, BAD, GOOD), strict=True)]

    found = enhanced_grid.compared(rows)

    assert [each["p_baseline"] for each in found] == pytest.approx([2 / 70, 1.0, 2 / 70])
    assert [each["p_random"] for each in found] == pytest.approx([1.0, 2 / 70, 1.0])
    assert "| a 33, k 6, theta 4.58 | 4 | 0.9150 ± 0.0100 | 0.9150 | 2.00 | 0.050 | 0.029 | 1.000 |" in (
        enhanced_grid.markdown(found)
    )


def test_a_baseline_that_failed_leaves_its_column_empty() -> None:
    name = enhanced_grid.name_of(enhanced_grid.PUBLISHED)

    (found,) = enhanced_grid.compared([row(name, GOOD)])

    assert (found["p_baseline"], found["p_random"]) == (None, None)
    assert "| - | - |" in enhanced_grid.markdown([found])


def test_the_random_search_is_the_papers() -> None:
    given = stamp_random_search._arguments(["--data", "x"])

    assert (given.trials, given.seeds, given.max_iterations, given.validate_every) == (133, 5, 30_000, 10)


def test_the_best_of_the_random_search_is_tested_against_each_by_welch() -> None:
    best, other, single = row("a", GOOD), row("b", BAD), row("c", [0.8])

    found = stamp_random_search.tested([best, other, single])

    expected = statistics.welch(GOOD, BAD).p
    assert [each["p_test"] for each in found] == [pytest.approx(1.0), pytest.approx(expected), None]
    assert found[1]["p_validation"] == pytest.approx(expected)
    assert stamp_random_search.markdown(found).splitlines()[0].startswith("| crop | k | trainings | validation |")


def test_the_front_is_cheapest_first_and_marks_what_nothing_beats() -> None:
    rows = [row("a", [0.9], multiply_adds=2e6), row("b", [0.8], multiply_adds=1e6), row("c", [0.7], multiply_adds=3e6)]

    found = pareto.fronted(rows)

    assert [(each["configuration"], each["front"]) for each in found] == [("b", True), ("a", True), ("c", False)]
    assert "| 2.0 |" in pareto.markdown(found)


@pytest.mark.parametrize("job", [stamp_random_search, enhanced_grid, images_only, entropy_beta, pareto])
def test_smokes_are_small(job) -> None:
    given = job._arguments(["--data", "x", "--smoke"])

    assert given.max_iterations <= 2
    assert given.seeds <= 2


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (float("nan"), "-"), (0.0294, "0.029"), (2e-5, "2.0e-05")])
def test_p_is_written_so_that_it_says_something(value: float | None, text: str) -> None:
    assert tables.p(value) == text
