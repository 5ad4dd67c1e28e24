"""The documentation says what there is: commands, features, reasons, benchmarks, links."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from skystamp import metadata
from skystamp.cli import app
from skystamp.errors import Reason

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("datasets/*/*.md"), *ROOT.glob("tune_jobs/*.md")])
COMMANDS = typer.main.get_group(app).commands
WRONG_USE = typer.BadParameter.__mro__[1]  # typer keeps its UsageError to itself
NO_STUDIES = {"arguments", "tables", "temporal_cells", "train_one"}  # what studies share, and a training alone
STUDIES = [path for path in sorted((ROOT / "tune_jobs").glob("[a-z]*.py")) if path.stem not in NO_STUDIES]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def names(paths: list[Path]) -> list[str]:
    """Return readable ids."""
    return [str(path.relative_to(ROOT)) for path in paths]


def commands_in(page: Path) -> list[str]:
    """Return the command lines of a page's bash blocks, continued lines joined, without comments."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def heading_anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented(name: str):
    headings = re.findall(r"^## `skystamp ([a-z-]+)`", (DOCS / "commands.md").read_text(), re.MULTILINE)

    assert name in headings


def test_documented_commands_exist():
    headings = re.findall(r"^## `skystamp ([a-z-]+)`", (DOCS / "commands.md").read_text(), re.MULTILINE)

    assert set(headings) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_and_its_options_have_help(name: str):
    command = COMMANDS[name]

    silent = [one.name for one in command.params if not getattr(one, "help", None)]

    assert command.help
    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_skystamp_commands_in_the_docs_would_be_understood(page: Path):
    """Each is parsed by the command's own parser, which refuses options and arguments that it does not know."""
    lines = [line for line in commands_in(page) if line.startswith("skystamp ") and "--help" not in line]

    wrong = {line: fault for line in lines if (fault := _fault(shlex.split(line)[1:]))}

    assert wrong == {}


@pytest.mark.parametrize(
    "line", ["simulate --objects 10", "simulate --objcts 10 --out x", "nothing", "models promte a 2"]
)
def test_a_command_that_would_be_refused_is_seen(line: str):
    assert _fault(line.split())


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_make_targets_in_the_docs_exist(page: Path):
    text = page.read_text()
    inline = re.findall(r"`make ([a-z-]+)", text)
    fenced = [line.split()[1] for line in commands_in(page) if line.startswith("make ")]

    assert {*inline, *fenced} <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_modules_in_the_docs_exist(page: Path):
    named = re.findall(r"python -m ((?:tune_jobs|benchmarks)\.[a-z_]+)", page.read_text())

    missing = [name for name in named if not (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())

    broken = [link for link in links if not link.startswith(("http://", "https://")) and not _leads(page, link)]

    assert broken == []


def test_every_page_can_be_reached_from_the_index():
    linked = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)", (DOCS / "index.md").read_text())}

    lost = [path.name for path in DOCS.glob("*.md") if path.name != "index.md" and path.resolve() not in linked]

    assert lost == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("decisions/*.md")), ids=lambda page: page.stem)
def test_decision_is_one_page_of_one_form(page: Path):
    text = page.read_text()

    assert text.startswith(f"# {page.stem[:4]}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "Consequence"]
    assert len(text.split()) < 600


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted(DOCS.glob("decisions/*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_reason_is_documented():
    rows = re.findall(r"^\| `([a-z_]+)` \|", _section("rejections.md", "# Rejections"), re.MULTILINE)

    assert rows == [reason.value for reason in Reason]


def test_every_flag_is_documented():
    from skystamp import classify, routing

    flags = {classify.NEGATIVE_DIFFERENCE, classify.NOT_FIRST_DETECTION, classify.SOLAR_SYSTEM_RULE}
    flags |= {classify.TOO_CLOSE, classify.NO_CATALOGUE, classify.NO_WISE_MATCH, classify.BOGUS_TWICE}
    flags.add(classify.CUTOUTS_DROPPED)
    flags |= {routing.BEYOND_RANGE, routing.FEWER_DETECTIONS_USED}

    rows = re.findall(r"^\| `([a-z_]+)` \|", _section("rejections.md", "## Not rejections"), re.MULTILINE)

    assert set(rows) == flags


def test_every_feature_is_documented_with_its_clip_and_missing_rule():
    from skystamp.inputs import CLIPS, MISSING

    rows = re.findall(
        r"^\| `([a-z0-9_]+)` \|.*?\|.*?\| (.*?) ?\| (.*?) \|", (DOCS / "inputs.md").read_text(), re.MULTILINE
    )
    told = {name: (clip.strip(), missing) for name, clip, missing in rows}

    assert list(told) == list(metadata.FEATURES)
    assert {name: clip for name, (clip, _) in told.items() if clip} == {name: _words(*CLIPS[name]) for name in CLIPS}
    assert {name for name, (_, missing) in told.items() if missing == "-1"} == set(MISSING)


def test_results_table_is_documented():
    from skystamp.classify import COLUMNS

    told = re.findall(r"`([A-Za-z_]+)`", _section("data.md", "## The results table"))

    assert set(COLUMNS) <= set(told)


def test_every_benchmark_is_documented():
    modules = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")}

    rows = set(re.findall(r"^\| `([a-z_]+)` \|", (DOCS / "benchmarks.md").read_text(), re.MULTILINE))

    assert rows == modules


def test_every_study_says_its_question_command_cost_and_result():
    for path in STUDIES:
        text = path.read_text()

        missing = [word for word in ("Question", "Command", "Cost", "Result") if f"\n{word}" not in text]

        assert missing == [], path.name


def test_every_study_is_in_the_list_of_studies():
    rows = re.findall(r"^\| `([a-z_]+)\.py` \|", (ROOT / "tune_jobs" / "README.md").read_text(), re.MULTILINE)

    assert set(rows) == {path.stem for path in STUDIES} | {"train_one"}


def _fault(arguments: list[str]) -> str | None:
    """Return why the command line would refuse these arguments, without running anything."""
    command, context, name = typer.main.get_group(app), None, "skystamp"
    try:
        while True:
            context = command.make_context(name, list(arguments), parent=context)
            arguments = [*context._protected_args, *context.args]
            if not hasattr(command, "commands") or not arguments:
                return None
            name, command, arguments = command.resolve_command(context, arguments)
    except WRONG_USE as error:
        return error.format_message()


def _leads(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in heading_anchors(target))


def _section(page: str, heading: str) -> str:
    """Return the text of a page from a heading to the next one."""
    text = (DOCS / page).read_text().split(f"{heading}", 1)[1]
    return re.split(r"^#+ ", text, maxsplit=1, flags=re.MULTILINE)[0]


def _words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
