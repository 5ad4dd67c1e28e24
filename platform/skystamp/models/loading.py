"""Keras, without what it loads only on the chance that somebody will want it.

Keras and TensorFlow try to import plotting, notebooks, data frames, scikit-learn and a second backend, and go on
without them. Nothing here uses these ways, and every replica, trial and command would wait for them: two fifths of the
processor time of `import keras` where all are installed. They are hidden while Keras is loaded and can be imported as
ever afterwards. A process that has loaded Keras before is left as it is.
"""

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["OPTIONAL", "keras"]

OPTIONAL = frozenset({"IPython", "matplotlib", "pandas", "sklearn"})
"""Libraries that Keras or TensorFlow import in a `try` and do without."""


class _Hidden(MetaPathFinder):
    """Finder of what is not to be found for now."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Refuse an optional library, and the other backend if it is TensorFlow that asks for it."""
        if name in OPTIONAL or (name == "jax" and "tensorflow" in sys.modules):
            raise ImportError(f"{name} is hidden while Keras is loaded", name=name)
        return None


def _loaded() -> ModuleType:
    """Return Keras."""
    finder = _Hidden()
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module("keras")
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)


if TYPE_CHECKING:
    import keras
else:
    keras = _loaded()
