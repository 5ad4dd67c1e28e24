"""The project's own rules, each kept by a test: names, sizes, what importing does, what files mention."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import skystamp

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "platform" / "skystamp"
CODE = ("platform", "tune_jobs", "serve_apps", "datasets", "benchmarks")
LONGEST = 350  # lines of a file

# Modules that other files' tests cover, each with the reason why it has no file of its own.
COVERED_ELSEWHERE = {
    "errors": "a table of names; every test that sees a rejection reads it",
    "alert": "a frozen dataclass without behaviour",
    "pyfunc": "tests/model/test_tracking.py loads a model through it",
    "api/metering": "tests/unit/api/test_receiving.py is told what happens through it",
    "api/routes": "tests/unit/api/test_application.py and test_access.py ask each of them",
    "classify/outcomes": "tests/unit/classify/test_single.py and test_sequenced.py read every outcome through it",
    "cluster/families": "tests/model/families/test_temporal.py asks for each family and for one that is none",
    "cluster/families/configuration": "tests/model/families/test_single.py and test_temporal.py make configurations",
    "inputs": "tests/unit/inputs/test_sequence.py writes and reads specs of both kinds",
    "inputs/scaling": "tests/unit/inputs/test_detection.py scales stamps of every kind",
    "inputs/tables": "tests/unit/inputs/test_detection.py and test_sequence.py read tables of both kinds",
    "cli/compare": "tests/model/test_evaluate.py runs the command",
    "cli/ensemble": "tests/model/test_evaluate.py runs the command",
    "cli/evaluate": "tests/model/test_evaluate.py runs the command",
    "cluster/ensembling": "tests/model/test_evaluate.py makes an ensemble by the command",
    "models/running": "tests/model/test_evaluate.py reads the engine in a page",
    "cli/classify": "tests/unit/cli/test_commands.py runs the commands",
    "cli/promoting": "tests/model/test_cli_models.py promotes and rolls back by it",
    "cli/prepare": "tests/unit/cli/test_commands.py runs the commands",
    "cli/simulate": "tests/unit/cli/test_commands.py runs the commands",
    "cluster/session": "every test of tests/ray that reads or writes data goes through it",
    "alerce_api/answers": "types; tests/unit/alerce_api/test_errors.py holds every answer against them",
    "alerce_api/application": "tests/unit/alerce_api/test_client.py and test_errors.py ask it",
    "alerce_api/configuration": "tests/unit/alerce_api/test_client.py gives it to the client",
    "alerce_api/forced": "tests/unit/alerce_api/test_photometry.py",
    "alerce_api/names": "tests/unit/alerce_api/test_photometry.py",
    "alerce_api/objects": "tests/unit/alerce_api/test_client.py lists objects by it",
    "alerce_api/packets": "tests/unit/alerce_api/test_client.py and test_errors.py ask for stamps and packets",
    "alerce_api/routes": "tests/unit/alerce_api/test_client.py and test_errors.py ask each of them",
    "alerce_api/scores": "tests/unit/alerce_api/test_client.py asks for each",
    "store/answered": "tests/unit/store/test_listing.py lists by both kinds",
    "store/scorers": "tests/unit/store/test_listing.py",
    "store/versions/v0005_lists": "tests/unit/store/test_migrations.py runs it",
    "store/scored": "tests/unit/test_night.py reads a store through it",
    "store/tables": "definitions; tests/unit/store/test_migrations.py compares them with the migrations",
    "store/values": "frozen dataclasses; every test of tests/unit/store passes them in and gets them back",
    "store/versions/v0001_first": "tests/unit/store/test_migrations.py runs it",
    "store/versions/v0003_packets": "tests/unit/store/test_migrations.py runs it",
    "store/versions/v0002_spread": "tests/unit/store/test_migrations.py runs it",
    "store/versions/v0004_reports": "tests/unit/store/test_migrations.py runs it",
    "tns/client": "tests/unit/tns/test_desk.py asks a server on loopback through it",
    "tns/codes": "tests/unit/tns/test_report.py reads each of them in a report",
    "tns/faults": "names; tests/unit/tns/test_desk.py sees each raised",
    "tns/rising": "tests/unit/tns/test_report.py works its phrases by hand",
    "tns/subject": "tests/unit/tns/test_report.py reads objects of a store by it",
    "synthetic/exposing": "tests/unit/synthetic/test_images.py measures what it exposes",
    "synthetic/flaws": "tests/unit/synthetic/test_images.py looks at each kind",
    "synthetic/hosts": "tests/unit/synthetic/test_sources.py and test_populations.py",
    "synthetic/neighbourhood": "tests/unit/synthetic/test_packets.py and test_catalogues.py read what it fills in",
    "synthetic/optics": "tests/unit/synthetic/test_images.py measures what it draws",
    "synthetic/reference": "tests/unit/synthetic/test_catalogues.py and test_photometry.py",
    "synthetic/subject": "tests/unit/synthetic/test_objects.py makes objects of every class through it",
}


def project_files() -> list[Path]:
    """Return the files that git tracks or would, by its own rules of what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in map(ROOT.joinpath, listed.stdout.splitlines()) if path.is_file()]


def python_files(*folders: str) -> list[Path]:
    """Return the Python files of some top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(paths: list[Path]) -> list[str]:
    """Return paths as the reader knows them."""
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("folder", ["platform", "datasets"])
def test_folder_is_no_package(folder: str):
    marker = ROOT / folder / "__init__.py"

    assert not marker.exists(), f"{folder}/__init__.py hides another package of that name (docs/decisions/0001)"


@pytest.mark.parametrize("folder", ["platform", "datasets"])
def test_folder_can_not_become_a_package_by_accident(folder: str):
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert f"/{folder}/__init__.py" in ignored


def test_the_standard_librarys_platform_is_found():
    import platform

    assert platform.__file__ is not None
    assert not Path(platform.__file__).is_relative_to(ROOT)


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert newest is not None
    assert (skystamp.__version__, newest[1]) == (project, project)


def test_the_lock_pins_exactly_and_names_no_address():
    lines = (ROOT / "requirements.lock").read_text().splitlines()

    loose = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!]+( ; .+)?", line)]

    assert loose == []


def test_the_lock_holds_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]

    names = {_normal(re.split(r"[\[<>=!~ ;]", one)[0]) for one in asked}
    locked = {_normal(line.split("==")[0]) for line in (ROOT / "requirements.lock").read_text().splitlines()}

    assert names <= locked, f"run `make lock`: {sorted(names - locked)} have no pin"


def test_files_are_short():
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in python_files(*CODE)}
    long = {str(path): length for path, length in lengths.items() if length > LONGEST}

    assert not long, f"over {LONGEST} lines; one idea a file: {long}"


def test_files_are_named_after_their_idea():
    vague = [path for path in python_files(*CODE) if path.stem in {"utils", "util", "helpers", "misc", "common"}]

    assert named(vague) == []


def test_every_file_opens_with_what_it_does():
    silent = [path for path in python_files(*CODE) if path.read_text() and not ast.get_docstring(_tree(path))]

    assert named(silent) == []


def test_no_file_names_a_package_registry():
    hosts = ("pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "ana" + "conda.org", "--index" + "-url")

    wrong = [path for path in _texts() if any(host in path.read_text() for host in hosts)]

    assert named(wrong) == []


def test_only_the_tests_settings_know_a_folder_outside_the_project():
    outside = "../" + "shared"

    wrong = [path for path in _texts() if outside in path.read_text()]

    assert named(wrong) in ([], ["tests/conftest.py"])


def test_no_exception_is_caught_that_can_not_be_named():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files(*CODE, "tests")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler) and _caught(node) & {"", "Exception", "BaseException"}
    ]

    assert wrong == []


def test_the_library_does_not_read_the_environment():
    """Entry points do: cli, tune_jobs and serve_apps. cluster/environment writes what Ray reads when it is imported."""
    entries = {LIBRARY / "cluster" / "environment.py", *(LIBRARY / "cli").glob("*.py")}

    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files("platform")
        if path not in entries
        for line in _lines_with(path, "os.environ", "os.getenv", "os.putenv")
    ]

    assert not wrong, f"read the environment in an entry point and pass the value in: {wrong}"


UNPICKLES = {
    # Calls and keywords that run what they read, in the libraries that we have or that people reach for.
    "names": {"read_pickle", "PickleType", "unsafe_load", "full_load", "enable_unsafe_deserialization", "eval", "exec"},
    "modules": {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle", "torch"},
    "keywords": {"allow_pickle": True, "safe_mode": False, "weights_only": False},
}
OWN_BYTES = {
    # Between two stages of one Ray Data pipeline, inside the cluster: made and read by the same function's two halves.
    "platform/skystamp/cluster/score.py",
    "platform/skystamp/cluster/histories/on_ray.py",
}


def test_nothing_from_the_network_or_the_store_is_unpickled():
    wrong = [
        f"{name}:{line}"
        for path in python_files(*CODE)
        if (name := str(path.relative_to(ROOT))) not in OWN_BYTES
        for line in _unpickling(_tree(path))
    ]

    assert not wrong, f"data that can run code (docs/decisions/0006 and 0019): {wrong}"


@pytest.mark.parametrize(
    ("source", "is_wrong"),
    [
        pytest.param("import pickle", True, id="pickle"),
        pytest.param("from cloudpickle import loads", True, id="cloudpickle"),
        pytest.param("np.load(file, allow_pickle=True)", True, id="numpy"),
        pytest.param("np.load(file, allow_pickle=False)", False, id="numpy-safe"),
        pytest.param("np.load(file)", False, id="numpy-default"),
        pytest.param("keras.saving.load_model(file, safe_mode=False)", True, id="keras"),
        pytest.param("torch.load(file)", True, id="torch"),
        pytest.param("sa.Column(sa.PickleType)", True, id="sqlalchemy"),
        pytest.param("pd.read_pickle(file)", True, id="pandas"),
        pytest.param("yaml.load(text)", True, id="yaml"),
        pytest.param("yaml.safe_load(text)", False, id="yaml-safe"),
        pytest.param("eval(text)", True, id="eval"),
        pytest.param("model.eval()", False, id="a-method-called-eval"),
    ],
)
def test_unpickling_is_seen(source: str, is_wrong: bool):
    assert bool(_unpickling(ast.parse(source))) == is_wrong


def _unpickling(tree: ast.AST) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if _unpickles(node)]


def _unpickles(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] in UNPICKLES["modules"] for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] in UNPICKLES["modules"]
        case ast.Attribute(value=ast.Name(id="torch" | "yaml"), attr="load"):
            return True
        case ast.Attribute(attr=name):
            return name in UNPICKLES["names"] - {"eval", "exec"}
        case ast.Name(id=name):
            return name in UNPICKLES["names"]
        case ast.keyword(arg=name, value=ast.Constant(value=value)):
            return UNPICKLES["keywords"].get(name, ...) is value
    return False


def test_only_entry_points_set_up_logging():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files("platform")
        if path.parent != LIBRARY / "cli"
        for line in _lines_with(path, "logging.basicConfig", "logging.config.dictConfig")
    ]

    assert wrong == []


def test_importing_does_nothing():
    """Only imports, definitions and constants stand at the top level of a module."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)[:60]}"
        for path in python_files("platform", "tune_jobs", "serve_apps", "benchmarks")
        for node in _tree(path).body
        if _acts(node)
    ]

    assert wrong == []


def test_every_module_has_a_test_file():
    tests = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    names = {"/".join(path.with_suffix("").parts[1:]).replace("test_", "") for path in tests if len(path.parts) > 1}
    flat = {name.replace("/", "_") for name in names}

    modules = [path.relative_to(LIBRARY).with_suffix("") for path in python_files("platform") if _has_code(path)]
    untested = [
        name
        for name in (str(module).removesuffix("/__init__") for module in modules)
        if name not in COVERED_ELSEWHERE and not _tested(name, flat)
    ]

    assert not untested, f"write tests/unit|model|ray/.../test_NAME.py for each, or say why not: {untested}"


def test_no_exception_to_the_test_files_is_stale():
    modules = {str(path.relative_to(LIBRARY).with_suffix("")) for path in LIBRARY.rglob("*.py")}
    modules |= {name.removesuffix("/__init__") for name in modules}

    gone = sorted(set(COVERED_ELSEWHERE) - modules)

    assert gone == []


def _tested(module: str, tests: set[str]) -> bool:
    """Return whether a test file is named after the module, with or without its packages, or after its package.

    A name that several modules have counts with its package alone.
    """
    parts = module.split("/")
    alike = [one for one in _module_names() if one.split("/")[-1] == parts[-1]]
    own = {"_".join(parts[i:]) for i in range(len(parts)) if i < len(parts) - 1 or len(alike) == 1 or i == 0}
    package = {"_".join(parts[i:-1]) for i in range(len(parts) - 1)}
    return bool((own | package) & tests)


def _module_names() -> list[str]:
    return [
        str(path.relative_to(LIBRARY).with_suffix("")).removesuffix("/__init__") for path in python_files("platform")
    ]


def _has_code(path: Path) -> bool:
    """Return whether a file defines anything that a test could call."""
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in _tree(path).body)


def _acts(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return False
        case ast.Import() | ast.ImportFrom():
            return False
        case ast.Assign(targets=targets):
            return not all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets)
        case ast.AnnAssign(target=ast.Name()):
            return False
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return False
        case ast.For(iter=ast.Tuple(), body=[ast.Expr(value=ast.Call() as call)]) | ast.Expr(value=ast.Call() as call):
            return not _registers(call)
    return True


def _registers(call: ast.Call) -> bool:
    """Return whether a call adds a command to the command line, which is how typer's applications are defined."""
    return re.match(r"app\.(command|add_typer)\(", ast.unparse(call)) is not None


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {""}
    return {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}


def _lines_with(path: Path, *names: str) -> list[int]:
    """Return the lines that use one of these dotted names, however it was imported."""
    lines = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in names:
            lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom):
            lines += [node.lineno for alias in node.names if f"{node.module}.{alias.name}" in names]
    return lines


def _texts() -> list[Path]:
    binary = {".npz", ".avro", ".gz", ".png", ".parquet", ".keras"}
    return [path for path in project_files() if path.suffix not in binary]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
