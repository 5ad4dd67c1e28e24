"""Keras is loaded without what it can do without, and that can be imported afterwards."""

import json
import os
import subprocess
import sys

import pytest

from skystamp.models import loading

ASKED = """
import json, sys
from skystamp.models import {module} as asked
before = sorted({{name.partition(".")[0] for name in sys.modules}})
import pandas, sklearn, scipy
import keras
model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
answer = model(keras.ops.ones((3, 2)))
print(json.dumps([before, list(answer.shape), keras.backend.backend()]))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_keras_works_without_what_it_would_load_by_chance(backend: str):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    ran = [sys.executable, "-c", ASKED.format(module="stamp")]

    loaded, shape, used = json.loads(subprocess.run(ran, env=environment, check=True, capture_output=True).stdout)

    assert {"keras", backend} <= set(loaded)
    assert not set(loaded) & {"IPython", "matplotlib", "pandas", "sklearn"}
    assert backend == "jax" or "jax" not in loaded
    assert (shape, used) == ([3, 1], backend)


def test_nothing_stays_hidden():
    assert not [finder for finder in sys.meta_path if type(finder).__module__ == loading.__name__]
