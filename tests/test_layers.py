"""The direction of imports in platform/skystamp: a module knows what comes before it, never what comes after.

Read from the source, so that an import inside a function counts too. Imports for type checkers alone do not.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "platform" / "skystamp"

# Bottom up. A unit, which is a module or a package, may import the units of the lines above it here and those to its
# left. A new unit gets its place in this table first.
LAYERS = (
    ("errors", "taxonomy"),
    ("alert", "frames", "manifest", "polarity", "refused", "request_ids"),
    ("avro", "surveys"),
    ("stamps", "metadata", "sequences", "crossmatch", "synthetic"),
    ("inputs",),
    ("metrics", "calibration", "networks", "statistics", "figures", "timing", "models", "training"),
    ("bundle", "ensemble", "distributions"),
    ("routing",),
    ("classify",),
    ("evaluation",),
    ("explanation",),
    ("sources", "store"),
    ("live", "night"),
    ("api", "client", "stream"),
    ("tracking", "pyfunc", "tns", "hunter", "alerce_api"),
    ("cluster",),
    ("cli",),
)
ORDER = [unit for layer in LAYERS for unit in layer]

ANYWHERE = {"numpy", "jaxtyping"}

# Outside library -> the units that may import it: its one home, or the few among which it is divided.
HOMES = {
    "alembic": {"store"},
    "astropy": {"stamps", "metadata", "crossmatch", "synthetic"},
    "cdshealpix": {"crossmatch"},
    "confluent_kafka": {"sources"},
    "cramjam": {"avro"},
    "fastavro": {"avro", "synthetic"},
    "fastapi": {"alerce_api", "api", "hunter"},
    "galsim": {"synthetic"},
    "hats": {"crossmatch"},
    "httpx": {"client", "stream", "cli", "tns"},
    "isal": {"avro", "stamps"},
    "jax": {"models"},
    "jinja2": {"evaluation", "hunter"},
    "keras": {"models", "training", "bundle"},
    "matplotlib": {"explanation", "figures"},
    "mlflow": {"tracking", "pyfunc"},
    "optuna": {"cluster"},
    "pandas": {"manifest"},
    "prometheus_client": {"stream"},
    "pyarrow": {"crossmatch", "sources", "store", "cluster"},
    "pydantic": {"alerce_api", "api", "client"},
    "ray": {"cluster"},
    "rich": {"cli"},
    "scipy": {"synthetic", "metrics", "statistics"},
    "sqlalchemy": {"store"},
    "starlette": {"alerce_api", "api", "hunter", "request_ids"},
    "tensorflow": {"models"},
    "typer": {"cli"},
    "yaml": {"cli"},
    "zstandard": {"avro"},
}


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands and the dotted name that it brings."""

    file: Path
    line: int
    name: str

    @property
    def unit(self) -> str:
        """The unit that imports."""
        return self.file.relative_to(LIBRARY).parts[0].removesuffix(".py")

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.name}"


def imports_of(file: Path, source: str | None = None) -> Iterator[Import]:
    """Yield every import of a file that happens when the program runs."""
    tree = ast.parse(source or file.read_text())
    unseen = {id(node) for block in ast.walk(tree) if _is_for_type_checkers(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (Import(file, node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def upward(found: Import) -> bool:
    """Return whether an import of our own goes to its own unit's right or above it."""
    parts = found.name.split(".")
    if parts[0] != "skystamp" or len(parts) < 2 or parts[1] == found.unit:
        return False
    if found.unit == "__init__":
        return True
    return parts[1] in ORDER and ORDER.index(parts[1]) > ORDER.index(found.unit)


def homeless(found: Import) -> bool:
    """Return whether an import of an outside library stands outside the library's homes."""
    library = found.name.split(".")[0]
    if library in sys.stdlib_module_names or library in {"skystamp", *ANYWHERE}:
        return False
    return found.unit not in HOMES.get(library, set())


FILES = sorted(LIBRARY.rglob("*.py"))
IMPORTS = [found for file in FILES for found in imports_of(file)]


def test_every_unit_has_a_place_in_the_order():
    units = {file.relative_to(LIBRARY).parts[0].removesuffix(".py") for file in FILES} - {"__init__", "__main__"}

    unplaced = units - set(ORDER)

    assert not unplaced, f"give each of these its place in LAYERS of tests/test_layers.py: {sorted(unplaced)}"


def test_no_module_imports_what_comes_after_it():
    wrong = [str(found) for found in IMPORTS if upward(found)]

    assert not wrong, "these imports go up; the code is in the wrong file:\n" + "\n".join(wrong)


def test_every_outside_library_stays_in_its_home():
    wrong = [f"{found}; its home is {HOMES.get(_top(found), 'nowhere yet')}" for found in IMPORTS if homeless(found)]

    assert not wrong, "import the module that is the library's home instead:\n" + "\n".join(wrong)


def test_the_library_imports_none_of_its_users():
    users = {"tune_jobs", "serve_apps", "benchmarks", "datasets", "tests", "conftest"}

    wrong = [str(found) for found in IMPORTS if _top(found) in users]

    assert not wrong, "the library should not know its users:\n" + "\n".join(wrong)


def test_imports_name_their_module_in_full():
    wrong = [str(found) for found in IMPORTS if found.name.startswith(".")]

    assert not wrong, "write the module's whole name:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("file", "source", "is_wrong"),
    [
        pytest.param("stamps.py", "from skystamp import classify", True, id="up"),
        pytest.param("stamps.py", "def f():\n    import skystamp.cluster.data", True, id="up-in-a-function"),
        pytest.param("stamps.py", "from skystamp.metadata import table", True, id="to-the-right"),
        pytest.param("metadata.py", "from skystamp import stamps", False, id="to-the-left"),
        pytest.param("classify.py", "from skystamp.errors import Reject", False, id="down"),
        pytest.param("avro/records.py", "from skystamp.avro import codecs", False, id="within"),
        pytest.param("__init__.py", "from skystamp.errors import Reject", True, id="the-package-itself"),
        pytest.param("stamps.py", "if TYPE_CHECKING:\n    from skystamp import cluster", False, id="for-types-alone"),
    ],
)
def test_upward_imports_are_seen(file: str, source: str, is_wrong: bool):
    found = list(imports_of(LIBRARY / file, source))

    assert any(upward(one) for one in found) == is_wrong


@pytest.mark.parametrize(
    ("file", "source", "is_wrong"),
    [
        pytest.param("stamps.py", "def f():\n    import ray.data", True, id="another's-library"),
        pytest.param("cluster/train.py", "from ray import tune", False, id="at-home"),
        pytest.param("stamps.py", "import requests", True, id="a-library-without-a-home"),
        pytest.param("stamps.py", "import json, numpy", False, id="anywhere"),
    ],
)
def test_homeless_imports_are_seen(file: str, source: str, is_wrong: bool):
    found = list(imports_of(LIBRARY / file, source))

    assert any(homeless(one) for one in found) == is_wrong


def _top(found: Import) -> str:
    return found.name.split(".")[0]
