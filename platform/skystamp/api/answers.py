"""Outcomes as the JSON that `POST /v1/classify` answers: one for each packet, in order, with counts above them.

A client tells the two kinds apart by `outcome`. Numbers are those of `skystamp.classify`, unrounded; `alert_id` is a
64-bit integer and a client in a language of doubles has to read it as such.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from skystamp.classify import Classification, Outcome, Rejection
from skystamp.errors import Reason

_EXAMPLE_CLASSIFICATION: dict[str, Any] = {
    "outcome": "classification",
    "survey": "ztf",
    "object_id": "ZTF18abcdefg",
    "alert_id": 2459000012345678901,
    "mjd": 59000.25,
    "n_detections": 1,
    "class": "SN",
    "probabilities": {"AGN": 0.04, "SN": 0.88, "VS": 0.05, "asteroid": 0.01, "bogus": 0.02},
    "spread": None,
    "model": {"name": "first-detection", "version": "3"},
    "flags": ["not_first_detection"],
    "rules": [],
}
_EXAMPLE_REJECTION: dict[str, Any] = {
    "outcome": "rejection",
    "reason": "wrong_shape",
    "sentence": Reason.WRONG_SHAPE.sentence,
    "detail": "science should be 63x63 pixels. Received: (63, 41)",
    "survey": "ztf",
    "object_id": "ZTF18hijklmn",
    "alert_id": 2459000012345678902,
    "mjd": 59000.26,
}


class ModelName(BaseModel):
    """The model that answered; its name and version are part of the key of a score."""

    name: str = Field(examples=["first-detection"])
    version: str = Field(examples=["3"])


class RuleAnswer(BaseModel):
    """A classification by a stated rule and no model; it stands beside the model's own, never instead of it."""

    model_config = ConfigDict(populate_by_name=True)

    rule: str = Field(examples=["solar_system_match"])
    label: str = Field(alias="class", examples=["asteroid"])
    detail: str


class ClassificationAnswer(BaseModel):
    """A model's answer for one packet."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [_EXAMPLE_CLASSIFICATION]})

    outcome: Literal["classification"] = "classification"
    survey: str
    object_id: str
    alert_id: int = Field(description="The survey's number of the detection (ZTF: candid), 64 bits.")
    mjd: float = Field(description="Start of the exposure, days, UTC.")
    n_detections: int = Field(description="How many detections the model read.")
    label: str = Field(alias="class", description="The most probable class.")
    probabilities: dict[str, float] = Field(description="Of each class that the model knows; they sum to 1.")
    spread: dict[str, float] | None = Field(
        default=None,
        description="Standard deviation of each probability over the members of an ensemble; null of a single model.",
    )
    model: ModelName
    flags: list[str] = Field(description="What to know of the alert, for example `negative_difference`.")
    rules: list[RuleAnswer]


class RejectionAnswer(BaseModel):
    """Why a packet has no classification, with as much of its identity as could be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_REJECTION]})

    outcome: Literal["rejection"] = "rejection"
    reason: Reason = Field(description="Stable, for programs.")
    sentence: str = Field(description="The same for people.")
    detail: str = Field(description="What was found where.")
    survey: str | None = None
    object_id: str | None = None
    alert_id: int | None = None
    mjd: float | None = None


OutcomeAnswer = Annotated[ClassificationAnswer | RejectionAnswer, Field(discriminator="outcome")]


class Counts(BaseModel):
    """How many packets the body held, and what became of them."""

    packets: int
    classifications: int
    rejections: int


class Answer(BaseModel):
    """The outcomes of a body's packets, in the order of the packets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "counts": {"packets": 2, "classifications": 1, "rejections": 1},
                    "containers": [2],
                    "outcomes": [_EXAMPLE_CLASSIFICATION, _EXAMPLE_REJECTION],
                }
            ]
        }
    )

    counts: Counts
    containers: list[int] = Field(
        description="How many of the outcomes are of each container of the body, in order; a plain body is one."
    )
    outcomes: list[OutcomeAnswer]


class ServedModel(BaseModel):
    """A model that answers now."""

    name: str = Field(examples=["first-detection"])
    version: str = Field(examples=["3"])
    reference: str = Field(description="What the settings ask for.", examples=["first-detection@champion"])
    classes: list[str]
    loaded: datetime = Field(description="When this version began to answer, UTC.")
    problem: str | None = Field(default=None, description="Why a newer version does not answer instead.")


class ShadowModel(BaseModel):
    """A challenger: a version that scores a share of the alerts beside the model that answers, and never answers."""

    name: str = Field(description="Of the model that it challenges.", examples=["first-detection"])
    reference: str = Field(default="", examples=["first-detection@challenger"])
    version: str | None = Field(default=None, description="None while no version is proposed.", examples=["4"])
    loaded: datetime | None = Field(default=None, description="When this version was taken up, UTC.")
    share: float = Field(default=0.0, description="Of the alerts that it scores.")
    problem: str | None = Field(default=None, description="Why the version that is proposed does not score.")


class Readiness(BaseModel):
    """Whether packets can be classified, and by which models."""

    ready: bool
    models: list[ServedModel]
    problems: list[str] = Field(default=[], description="What else an operator should look at.")
    challengers: list[ShadowModel] = Field(default=[], description="What runs in shadow, where there is a store.")


def answer(outcomes: Sequence[Outcome], containers: Sequence[int] | None = None) -> Answer:
    """Return the answer that holds these outcomes, so many of them of each of the body's containers (default: one)."""
    rejected = sum(isinstance(outcome, Rejection) for outcome in outcomes)
    counts = Counts(packets=len(outcomes), classifications=len(outcomes) - rejected, rejections=rejected)
    parts = [len(outcomes)] if containers is None else list(containers)
    return Answer(counts=counts, containers=parts, outcomes=[outcome_answer(outcome) for outcome in outcomes])


def answer_json(outcomes: Sequence[Outcome], containers: Sequence[int] | None = None) -> bytes:
    """Return the answer that holds these outcomes as the bytes of its JSON."""
    return answer(outcomes, containers).model_dump_json(by_alias=True).encode()


def outcome_answer(outcome: Outcome) -> ClassificationAnswer | RejectionAnswer:
    """Return one outcome in the form that it is answered in."""
    return _rejection(outcome) if isinstance(outcome, Rejection) else _classification(outcome)


def _classification(outcome: Classification) -> ClassificationAnswer:
    rules = [
        RuleAnswer.model_validate({"rule": r.rule, "class": r.label, "detail": _encodable(r.detail)})
        for r in outcome.rules
    ]
    named: dict[str, Any] = {"class": outcome.label}  # a word that Python keeps for itself
    return ClassificationAnswer(
        survey=outcome.survey,
        object_id=outcome.object_id,
        alert_id=outcome.alert_id,
        mjd=outcome.mjd,
        n_detections=outcome.n_detections,
        **named,
        probabilities=outcome.probabilities,
        spread=outcome.spread,
        model=ModelName(name=outcome.model, version=outcome.model_version),
        flags=list(outcome.flags),
        rules=rules,
    )


def _rejection(outcome: Rejection) -> RejectionAnswer:
    return RejectionAnswer(
        reason=outcome.reason,
        sentence=outcome.reason.sentence,
        detail=_encodable(outcome.detail) or "",
        survey=_encodable(outcome.survey),
        object_id=_encodable(outcome.object_id),
        alert_id=outcome.alert_id,
        mjd=outcome.mjd,
    )


def _encodable(text: str | None) -> str | None:
    """Return text that UTF-8 can carry: a schema in a damaged packet may name half a surrogate pair."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")
