"""What is answered, as types: they make the document, and a test holds every answer against them.

Names and meanings are ALeRCE's. What we have not is always null and says so here.
"""

from typing import Any

from pydantic import BaseModel, Field

_NONE = "Always null: no magnitude is corrected here."


class ErrorAnswer(BaseModel):
    """The answer to a request that was refused."""

    code: str = Field(description="Stable, for programs.")
    message: str
    detail: str = Field(description="The same sentence, where ALeRCE's client looks for it.")
    errors: dict[str, str] = Field(description="What is wrong, by parameter.")


class SingleObject(BaseModel):
    """An object; numbers about its detections are of those that came as alerts."""

    oid: str
    ndethist: str | None = Field(description="Of the last packet.")
    ncovhist: int | None = Field(description="Of the last packet.")
    mjdstarthist: float | None = Field(description="Of the last packet; null in lists.")
    mjdendhist: float | None = Field(description="Of the last packet; null in lists.")
    corrected: bool = Field(description="Always false.")
    stellar: bool = Field(description="The nearest Pan-STARRS source of the first detection is near and star-like.")
    ndet: int
    g_r_max: float | None = Field(description="Of magnitudes in the difference image.")
    g_r_max_corr: float | None = Field(description=_NONE)
    g_r_mean: float | None = Field(description="Of magnitudes in the difference image.")
    g_r_mean_corr: float | None = Field(description=_NONE)
    firstmjd: float
    lastmjd: float
    deltajd: float
    meanra: float
    meandec: float
    sigmara: float | None = Field(description="deg; null of one detection.")
    sigmadec: float | None = Field(description="deg; null of one detection.")
    step_id_corr: str | None = Field(description=_NONE)


class ListedObject(SingleObject):
    """An object of a list, with the answer that the list is by."""

    class_: str | None = Field(alias="class")
    classifier: str | None
    classifier_version: str | None = Field(description="Not of ALeRCE's service.")
    probability: float | None = Field(description="Of the class; 0 where a rule gave one that the model does not know.")


class ObjectPage(BaseModel):
    """A page of objects."""

    total: int | None = Field(description="Null unless `count` is asked for.")
    page: int
    next: int | None
    has_next: bool
    prev: int | None
    has_prev: bool
    items: list[ListedObject]


class Detection(BaseModel):
    """A detection: an alert that came, or an earlier one that a packet tells (`has_stamp` false, `parent_candid`)."""

    mjd: float
    candid: str
    fid: int = Field(description="1 g, 2 r, 3 i.")
    pid: int | None
    diffmaglim: float | None
    isdiffpos: int = Field(description="1 or -1.")
    nid: int | None
    distnr: float | None
    magpsf: float | None = Field(description="In the difference image.")
    magpsf_corr: float | None = Field(description=_NONE)
    magpsf_corr_ext: float | None = Field(description=_NONE)
    magap: float | None
    magap_corr: float | None = Field(description=_NONE)
    sigmapsf: float | None
    sigmapsf_corr: float | None = Field(description=_NONE)
    sigmapsf_corr_ext: float | None = Field(description=_NONE)
    sigmagap: float | None
    sigmagap_corr: float | None = Field(description=_NONE)
    ra: float
    dec: float
    rb: float | None
    rbversion: str | None
    drb: float | None
    magapbig: float | None
    sigmagapbig: float | None
    rfid: int | None
    has_stamp: bool = Field(description="Whether its cutouts are kept now.")
    corrected: bool = Field(description="Always false.")
    dubious: bool = Field(description="Always false.")
    candid_alert: str = Field(description="The alert whose packet tells it.")
    step_id_corr: str | None = Field(description=_NONE)
    phase: float | None = Field(description="Always null.")
    parent_candid: int | None


class NonDetection(BaseModel):
    """An upper limit."""

    mjd: float
    fid: int
    diffmaglim: float


class LightCurve(BaseModel):
    """Detections and non-detections."""

    detections: list[Detection]
    non_detections: list[NonDetection]


class Magstats(BaseModel):
    """Statistics of the detections in one filter, of magnitudes in the difference image."""

    fid: int
    stellar: bool
    corrected: bool = Field(description="Always false.")
    ndet: int
    ndubious: int = Field(description="Always 0.")
    magmean: float | None
    magmedian: float | None
    magmax: float | None
    magmin: float | None
    magsigma: float | None = Field(description="Of the sample (n - 1); null of one.")
    maglast: float | None
    magfirst: float | None
    firstmjd: float
    lastmjd: float
    step_id_corr: str | None = Field(description=_NONE)


class Probability(BaseModel):
    """A class's probability by a classifier's version."""

    classifier_name: str
    classifier_version: str
    class_name: str
    probability: float
    ranking: int = Field(description="From 1, the class that was answered.")


class Feature(BaseModel):
    """A number that the model read beside the stamps."""

    name: str
    value: float | None
    fid: int
    version: str = Field(description="The packet's schema.")


class Classifier(BaseModel):
    """A classifier's version that has scores."""

    classifier_name: str
    classifier_version: str
    classes: list[str]


class Class(BaseModel):
    """A class."""

    name: str


class ForcedPhotometry(BaseModel):
    """Forced photometry that a packet tells; by the names of ALeRCE's later API."""

    candid: str
    tid: str
    sid: str | None
    aid: str | None
    pid: int
    oid: str
    mjd: float
    fid: int
    ra: float | None
    e_ra: float | None
    dec: float | None
    e_dec: float | None
    mag: float
    e_mag: float
    mag_corr: float | None = Field(description=_NONE)
    e_mag_corr: float | None = Field(description=_NONE)
    e_mag_corr_ext: float | None = Field(description=_NONE)
    isdiffpos: int
    corrected: bool
    dubious: bool
    parent_candid: int
    has_stamp: bool
    extra_fields: dict[str, Any]
