"""The training loop: from a model and examples to the model with its best weights.

    step on a balanced batch, again and again
      every `validate_every`: scores on the whole validation set -> history, new best?, further end?, on_validation
      of these, the first after each `checkpoint_every` steps: everything into one file, from which `fit` goes on
      as if never interrupted

Runs on TensorFlow and JAX. Deterministic for the seeds of the model and of the configuration on one machine.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from skystamp.metrics import cross_entropy, entropy, scores
from skystamp.models import keras
from skystamp.models.losses import EntropyRegularisedCrossEntropy
from skystamp.training.config import TrainConfig
from skystamp.training.examples import BalancedBatches, Examples, augmented, require_finite
from skystamp.training.progress import Checkpoint, Progress, Weights, after_validation, load, save

OnValidation = Callable[[int, Mapping[str, float]], bool | None]
Ending = Literal["finished", "stopped", "diverged"]


@dataclass(frozen=True)
class FitResult:
    """How a training went.

    Parameters
    ----------
    iterations, best_iteration : int
        Steps made, and the step whose weights the model now has.
    best_loss : float
        Validation loss (the training objective) at `best_iteration`.
    history : dict of list of float
        One entry a validation under each of `iteration`, `train_loss` (mean since the one before), `loss`,
        `cross_entropy`, `entropy`, `accuracy`, `balanced_accuracy`, `macro_f1`, `calibration_error`.
    ended : str
        `finished` by the end rule, `stopped` by on_validation, `diverged` when the training loss was not finite.
    """

    iterations: int
    best_iteration: int
    best_loss: float
    history: dict[str, list[float]]
    ended: Ending

    @property
    def best(self) -> dict[str, float]:
        """The validation scores of `best_iteration`, by name."""
        row = self.history["iteration"].index(self.best_iteration)
        return {name: values[row] for name, values in self.history.items()}


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    config: TrainConfig,
    *,
    on_validation: OnValidation | None = None,
    checkpoint_dir: Path | str | None = None,
    checkpoint_every: int = 1000,
    resume: bool = True,
) -> FitResult:
    """Train `model` in place, leave it with its best weights, and return how it went.

    Parameters
    ----------
    model : keras.Model
        Inputs among those of the examples; output probabilities (batch, classes). It gets compiled here.
    train, validation : Examples
        Split by object. Validation is used whole, without augmentation or balancing.
    on_validation : callable, optional
        Called with (iteration, scores) after each validation, and after the checkpoint if one is due; True ends
        the training.
    checkpoint_dir : path, optional
        Folder of the checkpoint; none is kept without it. With `resume` a checkpoint found there is gone on from,
        and the answer is that of an uninterrupted training.
    checkpoint_every : int
        Iterations between checkpoints; one that is due is made at the next validation, and one at the end.

    Raises
    ------
    ValueError
        If a class has no training example, an input is not finite, or the checkpoint is of another training.
    FloatingPointError
        If the loss was never finite, so that there are no best weights.
    """
    folder = None if checkpoint_dir is None else Path(checkpoint_dir)
    require_finite(train, "train")
    require_finite(validation, "validation")
    batches = BalancedBatches(train.labels, model.output_shape[-1], config.batch, config.seed)
    prepare(model, config)
    fingerprint = _fingerprint(model, train, validation, config)
    progress, best = _start(model, config, load(folder, fingerprint) if folder and resume else None)
    ended: Ending = "finished"
    while progress.iteration < progress.end:
        steps = min(config.validate_every, progress.end - progress.iteration)
        train_loss = train_steps(model, train, batches, config, progress.iteration, steps)
        progress = dataclasses.replace(progress, iteration=progress.iteration + steps)
        if not np.isfinite(train_loss):
            ended = "diverged"
            break
        found = {"train_loss": train_loss, **validate(model, validation, config)}
        progress = after_validation(progress, found, config)
        if progress.best_iteration == progress.iteration:
            best = _values(model.weights)
        due = progress.iteration % checkpoint_every < steps or progress.iteration >= progress.end
        if folder and due:
            save(_checkpoint(model, progress, best, fingerprint), folder)
        if on_validation and on_validation(progress.iteration, found):
            ended = "stopped"
            break
    if not best:
        raise FloatingPointError(f"The loss should be finite. Received: train_loss={train_loss}, {config}")
    _assign(model.weights, best)
    return _result(progress, ended)


def prepare(model: keras.Model, config: TrainConfig) -> None:
    """Compile `model` with the loss and the optimiser of `config`.

    XLA is off under TensorFlow: on a CPU it makes a step of these networks two to three times slower.
    """
    rate: Any = config.learning_rate
    if config.cosine_decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, config.max_iterations, alpha=0.01)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, *config.adam_betas),
        loss=EntropyRegularisedCrossEntropy(config.beta, config.label_smoothing),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)


def train_steps(
    model: keras.Model, train: Examples, batches: BalancedBatches, config: TrainConfig, first: int, steps: int
) -> float:
    """Make `steps` steps from iteration `first` on and return their mean loss; not finite if any was not."""
    weights = None if config.class_weights is None else np.array(config.class_weights, "float32")
    model.reset_metrics()
    loss = float("nan")
    for iteration in range(first, first + steps):
        batch = augmented(train.take(batches.indices(iteration)), config, iteration)
        weight = None if weights is None else weights[batch.labels]
        loss = model.train_on_batch(inputs(model, batch), batch.labels, sample_weight=weight)
    return float(loss)


def validate(model: keras.Model, validation: Examples, config: TrainConfig) -> dict[str, float]:
    """Return scores on the whole of `validation`: `metrics.scores` and `loss`, cross-entropy minus beta entropy."""
    probabilities = predict(model, validation)
    loss = cross_entropy(probabilities, validation.labels) - config.beta * entropy(probabilities)
    return {"loss": loss, **scores(probabilities, validation.labels)}


def predict(model: keras.Model, examples: Examples, *, batch: int = 256) -> Float32[np.ndarray, "example class"]:
    """Return float32 probabilities (example, class) in the order of `examples`, in inference mode."""
    parts = np.array_split(np.arange(len(examples)), max(1, -(-len(examples) // batch)))
    return np.concatenate([model.predict_on_batch(inputs(model, examples.take(part))) for part in parts])


def inputs(model: keras.Model, examples: Examples) -> dict[str, Float32[np.ndarray, "..."]]:
    """Return the arrays of `examples` that `model` reads, by the names of its inputs."""
    return {tensor.name: examples.inputs[tensor.name] for tensor in model.inputs}


def _result(progress: Progress, ended: Ending) -> FitResult:
    history = {name: [row[name] for row in progress.history] for name in progress.history[0]}
    return FitResult(progress.iteration, progress.best_iteration, progress.best_loss, history, ended)


def _start(model: keras.Model, config: TrainConfig, checkpoint: Checkpoint | None) -> tuple[Progress, Weights]:
    """Return where to begin and the best weights so far (none yet: empty), with the model's state set to it."""
    if checkpoint is None:
        return Progress(0, config.max_iterations), []
    _assign(model.variables, checkpoint.model)
    _assign(model.optimizer.variables, checkpoint.optimizer)
    return checkpoint.progress, checkpoint.best


def _checkpoint(model: keras.Model, progress: Progress, best: Weights, fingerprint: str) -> Checkpoint:
    return Checkpoint(progress, _values(model.variables), _values(model.optimizer.variables), best, fingerprint)


def _values(variables: Any) -> Weights:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: Any, values: Weights) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _fingerprint(model: keras.Model, train: Examples, validation: Examples, config: TrainConfig) -> str:
    """Return a hash of what an interrupted training may not change: architecture, labels, parameters."""
    shapes = [list(variable.shape) for variable in model.weights]
    digest = hashlib.sha256(json.dumps([dataclasses.asdict(config), shapes]).encode())
    for examples in (train, validation):
        digest.update(json.dumps({name: values.shape for name, values in sorted(examples.inputs.items())}).encode())
        digest.update(np.ascontiguousarray(examples.labels).tobytes())
    return digest.hexdigest()
