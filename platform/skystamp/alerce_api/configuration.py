"""The addresses of this service as ALeRCE's client reads them from the file that ALERCE_CONFIG_PATH names."""

from typing import Any


def of(base: str) -> dict[str, Any]:
    """Return the client's configuration for an application at an address such as ``http://127.0.0.1:8000/ztf/``.

    What the client asks of LSST goes here too, where it is told that there is none; it never goes elsewhere unsaid.
    """
    here = base.rstrip("/")
    v1 = {name: f"/v1{path}" for name, path in _V1.items()}
    return {
        "ztf": {"ZTF_API_URL": here, "ZTF_ROUTES": {**v1, "forced_photometry": "/v2/lightcurve/forced-photometry/%s"}},
        "stamps_ztf": {"AVRO_URL": here, "AVRO_ROUTES": {"get_stamp": "/get_stamp", "get_avro": "/get_avro"}},
        "multisurvey": {"URL_MS": f"{here}/lsst/", "ROUTES_MS": {name: name for name in _LSST}},
        "stamps": {"STAMP_URL": f"{here}/lsst", "AVRO_ROUTES": {"get_stamp": "/stamp", "get_avro": "/get_avro"}},
    }


_V1 = {
    "objects": "/objects",
    "single_object": "/objects/%s",
    "detections": "/objects/%s/detections",
    "non_detections": "/objects/%s/non_detections",
    "lightcurve": "/objects/%s/lightcurve",
    "magstats": "/objects/%s/magstats",
    "probabilities": "/objects/%s/probabilities",
    "features": "/objects/%s/features",
    "single_feature": "/objects/%s/features/%s",
    "classifiers": "/classifiers",
    "classifier_classes": "/classifiers/%s/%s/classes",
}
_LSST = ("objects", "single_object", "detections", "forced_photometry", "non_detections", "lightcurve", "probabilities")
