"""The surest of the wrong answers: what a person should look at first."""

from dataclasses import dataclass

import numpy as np

from skystamp.evaluation.judged import Judged


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer: of which object, what it is and what was said, and how surely."""

    index: int
    object_id: str
    alert_id: int
    true: str
    answered: str
    probabilities: dict[str, float]
    spread: dict[str, float] | None
    facts: dict[str, str]

    @property
    def confidence(self) -> float:
        """The probability of the wrong answer."""
        return self.probabilities[self.answered]


def worst(judged: Judged, count: int = 12) -> list[Mistake]:
    """Return wrong answers by the mean of the trainings, surest first, at most `count` and a share of each true class.

    Of each true class come its surest before any other's further ones, so that one class does not fill the list.
    """
    mean = judged.mean
    answers = mean.argmax(axis=1)
    wrong = np.flatnonzero(answers != judged.labels)
    surest = wrong[np.argsort(-mean[wrong, answers[wrong]], kind="stable")]
    rank = np.zeros(len(surest), np.int64)
    for number in range(len(judged.classes)):
        own = judged.labels[surest] == number
        rank[own] = np.arange(own.sum())
    each = max(1, -(-count // len(judged.classes)))
    first, rest = surest[rank < each], surest[rank >= each]
    chosen = np.concatenate([first, rest])[:count]
    confidence = mean[chosen, answers[chosen]]
    return [_mistake(judged, int(i), mean[i]) for i in chosen[np.argsort(-confidence, kind="stable")]]


def _mistake(judged: Judged, index: int, probabilities: np.ndarray) -> Mistake:
    spread = judged.probabilities[:, index].std(axis=0).tolist() if judged.seeds > 1 else None
    return Mistake(
        index=index,
        object_id=str(judged.object_ids[index]),
        alert_id=int(judged.alert_ids[index]),
        true=judged.classes[judged.labels[index]],
        answered=judged.classes[int(probabilities.argmax())],
        probabilities=dict(zip(judged.classes, probabilities.tolist(), strict=True)),
        spread=dict(zip(judged.classes, spread, strict=True)) if spread else None,
        facts=_facts(judged, index),
    )


def _facts(judged: Judged, index: int) -> dict[str, str]:
    """Return what helps to see why, in words: magnitude, band, position, detections."""
    shown = {"magpsf": "{:.2f} mag", "ra": "ra {:.4f}", "dec": "dec {:+.4f}", "gal_lat": "b {:+.1f}°", "band": "{}"}
    shown |= {"ndethist": "ndethist {:.0f}", "rb": "rb {:.2f}"}
    found = {}
    for name, form in shown.items():
        value = judged.columns[name][index] if name in judged.columns else None
        if value is not None and value == value:  # NaN is not itself
            found[name] = form.format(value).replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{MINUS SIGN}")
    return found
