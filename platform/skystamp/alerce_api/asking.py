"""The parameters of a list of objects -> an `ObjectFilter`, or a sentence that says what is wrong with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from skystamp import taxonomy
from skystamp.alerce_api.names import STANDING, SURVEY, standing_version
from skystamp.store import ListedObject, ObjectFilter, Scorer

MOST = 5_000  # objects of a page
FURTHEST = 1_000_000  # objects before a page
DEFAULT_RADIUS = 30.0  # arcsec, as ALeRCE's
LARGEST_RADIUS = 3_600.0  # arcsec
MOST_NAMES = 1_000

_MOST_DETECTIONS = 10**9

ORDERS = {
    "oid": "object_id",
    "ndet": "n_detections",
    "firstmjd": "first_mjd",
    "lastmjd": "last_mjd",
    "deltajd": "delta_mjd",
    "deltamjd": "delta_mjd",
    "classifier_name": "model",
    "classifier_version": "model_version",
    "class_name": "label",
    "probability": "probability",
}
Order = Literal[
    "oid",
    "ndet",
    "firstmjd",
    "lastmjd",
    "deltajd",
    "deltamjd",
    "classifier_name",
    "classifier_version",
    "class_name",
    "probability",
]
Scorers = Callable[[], Sequence[Scorer]]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Classifier = Annotated[str, Field(max_length=200)]


class ObjectsAsked(BaseModel):
    """Parameters of a list of objects; one that is not known is refused, for it may be a filter misspelt."""

    model_config = ConfigDict(extra="forbid")

    oid: list[Name] = Field(
        default=[], max_length=MOST_NAMES, description="These objects alone; a single one may end with `*`."
    )
    classifier: Classifier | None = Field(default=None, description="`stamp_classifier`, or a model of ours.")
    classifier_version: Classifier | None = Field(default=None, description="Whatever it answered, now or before.")
    class_: Classifier | None = Field(default=None, alias="class", description="Name of a class.")
    ranking: int = Field(default=1, ge=1, le=len(taxonomy.CLASSES), description="Place of the class; over 1 with one.")
    probability: Finite | None = Field(default=None, ge=0, le=1, description="Least probability of the class.")
    ndet: list[Annotated[int, Field(ge=0, le=_MOST_DETECTIONS)]] = Field(
        default=[], max_length=2, description="Least, or least and most, detections."
    )
    firstmjd: list[Finite] = Field(default=[], max_length=2, description="First detection from, or from and until.")
    lastmjd: list[Finite] = Field(default=[], max_length=2, description="Last detection from, or from and until.")
    ra: Finite | None = Field(default=None, ge=0, le=360, description="Of a place, deg.")
    dec: Finite | None = Field(default=None, ge=-90, le=90, description="Of a place, deg.")
    radius: Finite = Field(default=DEFAULT_RADIUS, gt=0, le=LARGEST_RADIUS, description="About the place, arcsec.")
    page: int = Field(default=1, ge=1, le=FURTHEST, description="From 1.")
    page_size: int = Field(default=10, ge=1, le=MOST, description="Objects of a page.")
    count: bool = Field(default=False, description="Whether `total` is worked out.")
    order_by: Order | None = Field(default=None, description="Without it, as named, a place's nearest first, by name.")
    order_mode: Literal["ASC", "DESC"] = Field(default="ASC")

    @model_validator(mode="after")
    def _fits(self) -> "ObjectsAsked":
        if (self.ra is None) != (self.dec is None):
            raise ValueError("ra and dec should come together")
        if self.ranking > 1 and self.class_ is None:
            raise ValueError("a ranking over 1 should come with a class")
        if (self.page - 1) * self.page_size > FURTHEST:
            raise ValueError(f"a page should have at most {FURTHEST} objects before it; narrow the filters instead")
        if any("*" in name.removesuffix("*" * (len(self.oid) == 1)) for name in self.oid):
            raise ValueError("a * should stand at the end of the only oid")
        return self


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter, None where nothing can match, and how the classifier of an answer is named."""

    chosen: ObjectFilter | None
    named: Callable[[ListedObject], tuple[str | None, str | None]]


def wanted(asked: ObjectsAsked, scorers: Scorers) -> Wanted:
    """Return what is asked for, one object more than the page has; `scorers` says which versions there are."""
    named = _as_standing if asked.classifier == STANDING else _as_ours
    if asked.class_ is not None and asked.class_ not in taxonomy.CLASSES:
        return Wanted(None, named)
    return Wanted(_answered_by(asked, _filter(asked), scorers), named)


def _filter(asked: ObjectsAsked) -> ObjectFilter:
    wild = asked.oid[0][:-1] if len(asked.oid) == 1 and asked.oid[0].endswith("*") else None
    return ObjectFilter(
        SURVEY,
        names=tuple(map(plain, asked.oid)) if asked.oid and wild is None else None,
        prefix=plain(wild or ""),
        label=asked.class_,
        ranking=asked.ranking,
        min_probability=asked.probability,
        n_detections=_span(asked.ndet),
        first_mjd=_span(asked.firstmjd),
        last_mjd=_span(asked.lastmjd),
        place=None if asked.ra is None or asked.dec is None else (asked.ra, asked.dec, asked.radius / 3600),
        order=ORDERS[asked.order_by] if asked.order_by else None,
        descending=asked.order_mode == "DESC",
        limit=asked.page_size + 1,
        offset=(asked.page - 1) * asked.page_size,
    )


def _answered_by(asked: ObjectsAsked, chosen: ObjectFilter, scorers: Scorers) -> ObjectFilter | None:
    """Return the filter with the classifier; None where there is no such version."""
    name, version = asked.classifier, asked.classifier_version
    if version is None:
        return chosen if name in (None, STANDING) else replace(chosen, model=plain(name or ""))
    if name == STANDING:
        for one in scorers():
            if standing_version(one.model, one.version) == version:
                return replace(chosen, model=one.model, version=one.version)
        return None
    by = tuple(one for one in scorers() if one.version == version and name in (None, one.model))
    return replace(chosen, by=by) if by else None


def plain(name: str) -> str:
    """Return a name without what no name of ours has and no database takes."""
    return "".join(each if each.isprintable() else "\ufffd" for each in name)


def _span(values: Sequence[float] | Sequence[int]) -> tuple[float | None, float | None] | None:
    return (float(values[0]), float(values[1]) if len(values) > 1 else None) if values else None


def _as_standing(one: ListedObject) -> tuple[str | None, str | None]:
    return STANDING, standing_version(one.model, one.model_version)


def _as_ours(one: ListedObject) -> tuple[str | None, str | None]:
    return one.model, one.model_version
