"""Forced photometry that packets tell (`fp_hists`, schema 4 on) -> rows by the names of ALeRCE's later API.

A flux of the difference image, in the units of a zero point, becomes a magnitude: mag = magzpsci - 2.5 log10 |flux|,
e_mag = 1.0857 error / |flux|, with the flux's sign in `isdiffpos` (ZTF Science Data System, Masci et al. 2023).
Exposures without a flux, which the survey marks by -99999, are left out.
"""

import math
from collections.abc import Mapping
from typing import Any

from skystamp.alerce_api.names import BAND, JD_OF_MJD, number, text, whole
from skystamp.alerce_api.photometry import Known

Row = dict[str, Any]

_NUMBERS = (
    *("sciinpseeing", "scibckgnd", "scisigpix", "magzpsci", "magzpsciunc", "magzpscirms", "clrcoeff", "clrcounc"),
    *("exptime", "adpctdif1", "adpctdif2", "diffmaglim", "distnr", "ranr", "decnr", "magnr", "sigmagnr"),
    *("chinr", "sharpnr"),
)
_WHOLE = ("field", "rcid", "rfid", "programid")
_MAGNITUDE_OF_RATIO = 2.5 / math.log(10)


def forced_photometry(found: Known, oid: str) -> list[Row]:
    """Return the forced photometry that an object's packets tell, in time order, each exposure once."""
    rows: dict[tuple[int, int], Row] = {}
    for (_, parent), record in sorted(found.histories.items()):
        candidate = record.get("candidate") or {}
        for one in record.get("fp_hists") or []:
            if _is_measured(one):
                rows[one["pid"], one["fid"]] = _row(one, candidate, oid, parent)
    return sorted(rows.values(), key=lambda row: (row["mjd"], row["fid"]))


def _is_measured(fields: Any) -> bool:
    if not isinstance(fields, Mapping) or whole(fields, "pid") is None or fields.get("fid") not in BAND:
        return False
    needed = [number(fields, name) for name in ("jd", "forcediffimflux", "forcediffimfluxunc", "magzpsci")]
    return None not in needed and needed[1] != 0


def _row(fields: Mapping[str, Any], candidate: Mapping[str, Any], oid: str, parent: int) -> Row:
    flux, error = float(fields["forcediffimflux"]), float(fields["forcediffimfluxunc"])
    magnitudes = {
        "mag": float(fields["magzpsci"]) - 2.5 * math.log10(abs(flux)),
        "e_mag": _MAGNITUDE_OF_RATIO * error / abs(flux),
        "mag_corr": None,
        "e_mag_corr": None,
        "e_mag_corr_ext": None,
    }
    extra = {"pid": fields["pid"], **magnitudes}  # again: ALeRCE's client joins both parts by what they share
    extra |= {name: whole(fields, name) for name in _WHOLE}
    extra |= {name: number(fields, name) for name in _NUMBERS}
    return {
        "candid": f"{oid}{fields['pid']}",
        "tid": "ztf",
        "sid": None,
        "aid": None,
        "pid": fields["pid"],
        "oid": oid,
        "mjd": fields["jd"] - JD_OF_MJD,
        "fid": fields["fid"],
        "ra": number(candidate, "ra"),
        "e_ra": None,
        "dec": number(candidate, "dec"),
        "e_dec": None,
        **magnitudes,
        "isdiffpos": 1 if flux > 0 else -1,
        "corrected": False,
        "dubious": False,
        "parent_candid": parent,
        "has_stamp": False,
        "extra_fields": {**extra, "procstatus": text(fields, "procstatus")},
    }
