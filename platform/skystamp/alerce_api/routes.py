"""ALeRCE's routes, below the prefix at which the application stands (`/ztf`).

    /v1/objects, /v1/objects/OID/...             lists, one object, its light curve and scores
    /v1/classifiers/...                          which versions there are
    /v2/lightcurve/forced-photometry/OID         forced photometry, by the later API
    /get_stamp, /get_avro, /get_avro_info        one detection's stamps and packet
    /lsst/...                                    nothing: no object of that survey is here

All need the scope `read`; each is a query or a few, and no model is asked.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from skystamp.alerce_api import answers, configuration, errors, forced, magstats, objects, packets, photometry, scores
from skystamp.alerce_api.asking import ObjectsAsked
from skystamp.api.access import Scope, guarded
from skystamp.store import Store

Band = Literal["science", "template", "difference"]
Form = Literal["png", "fits"]
Stretch = Literal["asinh", "linear", "source", "full"]
Text = Annotated[str | None, Query(max_length=200)]
Oid = Annotated[str, Query(min_length=1, max_length=64)]
Candid = Annotated[int, Query(ge=0, lt=1 << 63)]

_ERROR = {"model": answers.ErrorAnswer}
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {**_ERROR, "description": "A parameter is unknown or has a value that it can not have."},
    401: {**_ERROR, "description": "No token, or none that is known and has not ended."},
    403: {**_ERROR, "description": "The token lacks the scope `read`."},
    404: {**_ERROR, "description": "There is no such object, detection or version, or it is not kept any more."},
    429: {**_ERROR, "description": "The token's rate is used up."},
    503: {**_ERROR, "description": "The store is busy or away."},
}
_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}


def routes(store: Store) -> APIRouter:
    """Return the routes over a store."""
    router = APIRouter(dependencies=guarded(Scope.READ)["dependencies"])
    _add_objects(router, store)
    _add_light_curves(router, store)
    _add_scores(router, store)
    _add_packets(router, store)
    _add_others(router)
    return router


def _route(router: APIRouter, path: str, model: Any, summary: str, *, shown: bool = True) -> Callable[..., Any]:
    """Return the decorator of a route that answers JSON of a type, which is documented and not made again."""
    told = {200: {"model": model, "description": summary}, **_REFUSED}
    options = {"response_class": Response, "responses": told, "summary": summary, "include_in_schema": shown}
    return router.get(path, **options)  # type: ignore[arg-type]


def _add_objects(router: APIRouter, store: Store) -> None:
    @_route(router, "/v1/objects/", answers.ObjectPage, "Objects by filters", shown=False)
    @_route(router, "/v1/objects", answers.ObjectPage, "Objects by filters")
    def listed(asked: Annotated[ObjectsAsked, Query()]) -> Response:
        """Answer a page of objects, each with the answer that stands for it or that of the version asked for."""
        return _json(objects.page(store, asked))


def _add_light_curves(router: APIRouter, store: Store) -> None:
    def known(oid: str) -> photometry.Known:
        return photometry.known(store, objects.existing(store, oid).object_id)

    @_route(router, "/v1/objects/{oid:path}/detections", list[answers.Detection], "Detections of an object")
    def detections(oid: str) -> Response:
        """Answer alerts that came and earlier detections that their packets tell, in time order."""
        return _json(photometry.detections(store, known(oid)))

    @_route(router, "/v1/objects/{oid:path}/non_detections", list[answers.NonDetection], "Upper limits of an object")
    def non_detections(oid: str) -> Response:
        """Answer the upper limits that packets tell, in time order."""
        return _json(photometry.non_detections(known(oid)))

    @_route(router, "/v1/objects/{oid:path}/lightcurve", answers.LightCurve, "Light curve of an object")
    def lightcurve(oid: str) -> Response:
        """Answer detections and upper limits."""
        found = known(oid)
        told = {"detections": photometry.detections(store, found), "non_detections": photometry.non_detections(found)}
        return _json(told)

    @_route(router, "/v1/objects/{oid:path}/magstats", list[answers.Magstats], "Statistics of an object's magnitudes")
    def statistics(oid: str) -> Response:
        """Answer one entry a filter, of all that `detections` answers."""
        found = known(oid)
        stellar = magstats.is_stellar(found.alerts)
        return _json(magstats.magstats(photometry.detections(store, found), stellar=stellar))

    @_route(
        router,
        "/v2/lightcurve/forced-photometry/{oid:path}",
        list[answers.ForcedPhotometry],
        "Forced photometry of an object",
    )
    def forced_photometry(oid: str) -> Response:
        """Answer what packets tell of it (schema 4 on); empty where they tell none."""
        return _json(forced.forced_photometry(known(oid), oid))


def _add_scores(router: APIRouter, store: Store) -> None:
    @_route(router, "/v1/objects/{oid:path}/probabilities", list[answers.Probability], "Probabilities of an object")
    def probabilities(oid: str, classifier: Text = None, classifier_version: Text = None) -> Response:
        """Answer what stands (`stamp_classifier`), then the newest of each model and version."""
        return _json(scores.probabilities(store, objects.existing(store, oid), classifier, classifier_version))

    @_route(router, "/v1/objects/{oid:path}/features/{name}", list[answers.Feature], "One feature of an object")
    def feature(oid: str, name: str, fid: int | None = None, version: Text = None) -> Response:
        """Answer the feature of that name, or an empty list."""
        found = scores.features(store, objects.existing(store, oid), fid, version)
        return _json([one for one in found if one["name"] == name])

    @_route(router, "/v1/objects/{oid:path}/features", list[answers.Feature], "Features of an object")
    def features(oid: str, fid: int | None = None, version: Text = None) -> Response:
        """Answer the metadata that models read beside the stamps; they are no features of a light curve."""
        return _json(scores.features(store, objects.existing(store, oid), fid, version))

    @_route(router, "/v1/classifiers/", list[answers.Classifier], "Classifiers", shown=False)
    @_route(router, "/v1/classifiers", list[answers.Classifier], "Classifiers")
    def classifiers() -> Response:
        """Answer every version that has scores, with its classes."""
        return _json(scores.classifiers(store))

    @_route(
        router, "/v1/classifiers/{classifier}/{classifier_version}/classes", list[answers.Class], "Classes of a version"
    )
    def classes(classifier: str, classifier_version: str) -> Response:
        """Answer the classes that a version knows."""
        return _json(scores.classes(store, classifier, classifier_version))

    @_route(router, "/v1/objects/{oid:path}", answers.SingleObject, "One object")
    def one_object(oid: str) -> Response:
        """Answer one object."""
        return _json(objects.one(store, oid))


def _add_packets(router: APIRouter, store: Store) -> None:
    binary: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

    @router.get(
        "/get_stamp",
        summary="A stamp of a detection",
        response_class=Response,
        responses={200: {"content": {"image/png": binary, "application/gzip": binary}}, **_REFUSED},
    )
    def stamp(
        oid: Oid,
        candid: Candid,
        type: Annotated[Band, Query()],  # noqa: A002  ALeRCE's name
        format: Annotated[Form, Query()],  # noqa: A002
        stretch: Stretch = "asinh",
    ) -> Response:
        """Answer a cutout as it came (`fits`, packed by gzip), or a picture of it (`png`), north up."""
        name = f"{candid}_{type}"
        if format == "png":
            return _file(packets.picture(store, oid, candid, type, stretch), "image/png", f"{name}.png")
        return _file(packets.cutout(store, oid, candid, type), "application/gzip", f"{name}.fits.gz")

    @router.get(
        "/get_avro",
        summary="The packet of a detection",
        response_class=Response,
        responses={200: {"content": {"application/avro": binary}}, **_REFUSED},
    )
    def avro(oid: Oid, candid: Candid) -> Response:
        """Answer the packet, put together from what is kept of it: all that came but for the cutouts' file names."""
        return _file(packets.packet(store, oid, candid), "application/avro", f"{candid}.avro")

    @_route(router, "/get_avro_info", dict[str, Any], "The record of a detection")
    def info(oid: Oid, candid: Candid) -> Response:
        """Answer the packet without its cutouts."""
        return _json(packets.record(store, oid, candid))


def _add_others(router: APIRouter) -> None:
    @_route(router, "/client.json", dict[str, Any], "Configuration of the `alerce` client")
    def client(request: Request) -> Response:
        """Answer what ALERCE_CONFIG_PATH may point at, with the address under which this was asked for."""
        return _json(configuration.of(address(request)))

    @router.get("/lsst/{path:path}", include_in_schema=False)
    def lsst() -> Response:
        raise errors.not_found("There are no objects of LSST here.", "no_survey")


def address(request: Request) -> str:
    """Return where the application stands, as the asker sees it; wherever it is mounted, and whoever mounts it."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")


def _json(value: Any) -> Response:
    return Response(json.dumps(value, allow_nan=False), media_type="application/json")


def _file(data: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff", **_FOREVER}
    return Response(data, media_type=kind, headers=headers)
