"""Training speed: `skystamp.training.loop.fit` beside plain `keras.Model.fit`, on this machine, in the same run.

    python -m benchmarks.train [--json] [--steps N] [--rounds N]

Both train the same architecture with the same loss, optimiser and batch of 64 on the same made-up data. The
baseline is what one would write first: `model.compile` with Keras's own choice of compiler, and
`model.fit(x, y, batch_size=64)`. Ours adds balanced batches and the paper's loop, without validation in the timed part.
Ratios are steps a second over the baseline's: above 1 is faster. A round times both, so that a busy machine slows
both; the median of the rounds is shown.
"""

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import keras
import numpy as np

from skystamp.models.losses import EntropyRegularisedCrossEntropy
from skystamp.models.stamp import ENHANCED, StampConfig, build
from skystamp.training import BalancedBatches, Examples, TrainConfig
from skystamp.training.loop import prepare, train_steps

MODELS = {"21px_k4": StampConfig(), "33px_k6": ENHANCED}
CONFIG = TrainConfig()


def main() -> None:
    """Print the table, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="Training speed beside plain keras.Model.fit.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--steps", type=int, default=10, help="training steps in a timed part")
    parser.add_argument("--rounds", type=int, default=3, help="timed parts of each kind")
    arguments = parser.parse_args()
    found = {name: measure(config, arguments.steps, arguments.rounds) for name, config in MODELS.items()}
    report(found, as_json=arguments.json)


def measure(config: StampConfig, steps: int, rounds: int) -> dict[str, float]:
    """Return the median steps a second of `fit` and of the `baseline`, rounds interleaved."""
    examples = made_up(config, CONFIG.batch * steps)
    kinds = {"fit": ours(config, examples, steps), "baseline": baseline(config, examples)}
    for run in kinds.values():
        run()
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, run in kinds.items():
            start = time.perf_counter()
            run()
            rates[kind].append(steps / (time.perf_counter() - start))
    return {kind: median(values) for kind, values in rates.items()}


def made_up(config: StampConfig, size: int) -> Examples:
    """Return random examples of the model's shapes with every class in equal number."""
    rng = np.random.default_rng(0)
    stamps = rng.random((size, config.side, config.side, config.channels), dtype=np.float32)
    metadata = rng.standard_normal((size, config.metadata), dtype=np.float32)
    return Examples({"stamps": stamps, "metadata": metadata}, np.arange(size, dtype=np.int64) % config.classes)


def ours(config: StampConfig, examples: Examples, steps: int) -> Callable[[], object]:
    """Return a call that makes `steps` steps of our loop."""
    model = build(config)
    prepare(model, CONFIG)
    batches = BalancedBatches(examples.labels, config.classes, CONFIG.batch, CONFIG.seed)
    return lambda: train_steps(model, examples, batches, CONFIG, 0, steps)


def baseline(config: StampConfig, examples: Examples) -> Callable[[], object]:
    """Return a call of one epoch of plain `keras.Model.fit`."""
    model = build(config)
    model.compile(
        keras.optimizers.Adam(CONFIG.learning_rate, *CONFIG.adam_betas), EntropyRegularisedCrossEntropy(CONFIG.beta)
    )
    inputs = dict(examples.inputs)
    return lambda: model.fit(inputs, examples.labels, batch_size=CONFIG.batch, verbose=0)


def report(found: dict[str, dict[str, float]], *, as_json: bool) -> None:
    """Print what was measured."""
    ratios = {f"{name}_over_keras_fit": rates["fit"] / rates["baseline"] for name, rates in found.items()}
    figures = {f"{name}_{kind}_steps_per_s": rate for name, rates in found.items() for kind, rate in rates.items()}
    figures |= {f"{name}_samples_per_s": rates["fit"] * CONFIG.batch for name, rates in found.items()}
    if as_json:
        print(json.dumps({"ratios": ratios, "figures": figures}))
        return
    print(f"{'model':10}{'steps/s':>10}{'samples/s':>12}{'keras fit':>12}{'ratio':>8}   batch {CONFIG.batch}")
    for name, rates in found.items():
        ours_, plain = rates["fit"], rates["baseline"]
        print(f"{name:10}{ours_:10.2f}{ours_ * CONFIG.batch:12.0f}{plain:12.2f}{ours_ / plain:8.2f}")


if __name__ == "__main__":
    main()
