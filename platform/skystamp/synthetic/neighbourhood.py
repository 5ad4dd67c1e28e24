"""The columns of a candidate that tell what is nearby: PS1, Gaia, reference catalogue, known asteroids.

Makes parts of the candidate's dict out of the catalogues about an object and the candidate's place among them.
Missing values are -999, as the survey writes them.
"""

from dataclasses import dataclass

import numpy as np

from skystamp.synthetic import catalogues
from skystamp.synthetic.catalogues import Entries
from skystamp.synthetic.images import Triplet
from skystamp.synthetic.populations import Target
from skystamp.synthetic.reference import reference_shape
from skystamp.synthetic.sky import Position
from skystamp.synthetic.sources import Field
from skystamp.synthetic.survey import GAIN, PIXEL

MISSING = -999.0
_BANDS = "griz"
_PS1_RADIUS = 30.0
_GAIA_RADIUS = 90.0


@dataclass(frozen=True)
class Neighbourhood:
    """The catalogues about one object, offsets from its true position [arcsec].

    ``unmatched`` marks objects whose catalogue match failed: the survey then writes its search limits.
    """

    ps1: Entries
    ps1_ids: np.ndarray
    gaia: tuple[np.ndarray, np.ndarray, np.ndarray]
    reference: dict[int, Entries]
    unmatched: bool


def neighbourhood(
    rng: np.random.Generator, field: Field, target: Target, own_mags: np.ndarray | None, here: Position
) -> Neighbourhood:
    """Return the catalogues about an object; ``own_mags`` is None for what leaves no static source."""
    truth = catalogues.true_entries(rng, field, target.host, own_mags)
    seen = catalogues.ps1(rng, truth, here)
    ids = (np.int64((here.dec + 90.0) * 120.0) * 10**13 + np.int64(here.ra * 1e6) * 10**4) + rng.integers(
        0, 10**9, seen.x.size
    )
    return Neighbourhood(
        ps1=seen,
        ps1_ids=ids,
        gaia=catalogues.gaia(field, own_mags, truth),
        reference={fid: catalogues.reference(rng, truth, fid) for fid in (1, 2)},
        unmatched=bool(rng.random() < 0.12),
    )


def ps1_columns(near: Neighbourhood, x: float, y: float) -> dict[str, float | int]:
    """Return the PS1 columns of a candidate at (x, y) [arcsec]: the three closest within 30 arcsec."""
    away = near.ps1.distance(x, y)
    order = [int(i) for i in np.argsort(away, kind="stable") if away[i] < _PS1_RADIUS]
    row: dict[str, float | int] = {"nmtchps": len(order)}
    for rank in (1, 2, 3):
        found = order[rank - 1] if len(order) >= rank else None
        row[f"objectidps{rank}"] = int(near.ps1_ids[found]) if found is not None else int(MISSING)
        row[f"sgscore{rank}"] = float(near.ps1.score[found]) if found is not None else MISSING
        row[f"distpsnr{rank}"] = float(away[found]) if found is not None else MISSING
        for band, name in enumerate(_BANDS):
            value = float(near.ps1.mags[found, band]) if found is not None else np.nan
            row[f"s{name}mag{rank}"] = round(value, 4) if np.isfinite(value) else MISSING
    if near.unmatched and order:
        row["sgscore1"], row["distpsnr1"] = 0.2, 120.0
    return row


def gaia_columns(near: Neighbourhood, x: float, y: float) -> dict[str, float]:
    """Return the Gaia columns of a candidate at (x, y) [arcsec]: the closest, and the closest brighter than 14."""
    gaia_x, gaia_y, magnitude = near.gaia
    away = np.hypot(gaia_x - x, gaia_y - y)
    row: dict[str, float] = {}
    for suffix, wanted in (("", np.ones(away.size, dtype=bool)), ("bright", magnitude < 14.0)):
        chosen = np.flatnonzero(wanted & (away < _GAIA_RADIUS))
        best = chosen[np.argmin(away[chosen])] if chosen.size else None
        row[f"neargaia{suffix}"] = float(away[best]) if best is not None else MISSING
        row[f"maggaia{suffix}"] = float(magnitude[best]) if best is not None else MISSING
    if near.unmatched:
        row["neargaia"] = 300.0
    return row


def nearest_reference(near: Neighbourhood, fid: int, x: float, y: float) -> int:
    """Return the index of the closest entry of the reference catalogue.

    Raises
    ------
    ValueError
        If the catalogue is empty, which its false entries make all but impossible.
    """
    entries = near.reference[fid]
    if entries.x.size == 0:
        raise ValueError("Reference catalogue should have an entry. Received: none within its square")
    return int(np.argmin(entries.distance(x, y)))


def reference_columns(
    rng: np.random.Generator,
    near: Neighbourhood,
    fid: int,
    place: tuple[float, float],
    origin: tuple[float, float],
    triplet: Triplet,
    known: dict[tuple[int, int], dict[str, float]],
) -> dict[str, float]:
    """Return the reference columns of a candidate.

    ``place`` is the candidate's offset [arcsec], ``origin`` the pixel (x, y) of the offset (0, 0). An entry's own
    columns are kept in ``known`` by filter and entry, since later candidates read the same catalogue.
    """
    entries = near.reference[fid]
    index = nearest_reference(near, fid, *place)
    if (fid, index) not in known:
        known[fid, index] = _entry(rng, entries, fid, index, origin, triplet)
    return {
        "distnr": float(entries.distance(*place)[index]),
        **known[fid, index],
        "x": float(entries.x[index]),
        "y": float(entries.y[index]),
    }


def _entry(
    rng: np.random.Generator, entries: Entries, fid: int, index: int, origin: tuple[float, float], triplet: Triplet
) -> dict[str, float]:
    """Return what the reference catalogue says of one entry.

    Chi and sharpness are measured on the template where the entry lies well inside it, else drawn.
    """
    false = bool(np.isnan(entries.score[index]))
    magnitude = float(entries.mags[index, fid - 1])
    pixel = origin[0] + entries.x[index] / PIXEL, origin[1] + entries.y[index] / PIXEL
    inside = all(10.5 < p < triplet.template.shape[0] - 11.5 for p in pixel)
    if inside and not false:
        chi, sharp = _measured(triplet, pixel)
        sharp += float(rng.normal(0.0, 0.012 + 0.25 * 10.0 ** (0.4 * (min(magnitude, 23.0) - 22.5))))
        chi *= float(rng.lognormal(0.0, 0.12))
    else:
        chi, sharp = float(rng.lognormal(-0.3, 0.3)), float(rng.normal(-0.34 if false else -0.02, 0.15))
    error = float(np.clip(0.0125 * rng.lognormal(0.1, 0.2) + 0.3 * 10.0 ** (0.32 * (magnitude - 22.9)), 0.01, 0.37))
    return {
        "magnr": round(magnitude + float(rng.normal(0.0, min(error, 0.1))), 3),
        "sigmagnr": round(error + 0.012 * max(chi - 1.0, 0.0), 3),
        "chinr": round(chi, 3),
        "sharpnr": round(sharp, 3),
    }


def _measured(triplet: Triplet, pixel: tuple[float, float]) -> tuple[float, float]:
    flat = triplet.template - triplet.background
    return reference_shape(flat, triplet.template_psf, *pixel, triplet.template_noise, GAIN)


def solar_system_columns(
    rng: np.random.Generator, target: Target, magnitude: float, unmatched: bool
) -> dict[str, float | str]:
    """Return the known-asteroid columns: the asteroid itself nine times in ten, else one nearby by chance."""
    chance = 0.06 * float(np.exp(-abs(target.here.ecl_b) / 7.0))
    if target.cls == "asteroid" and rng.random() < 0.9:
        distance, brightness = float(rng.integers(0, 2)), magnitude + float(rng.normal(0.1, 0.25))
    elif rng.random() < chance:
        distance, brightness = float(np.round(30.0 * np.sqrt(rng.random()))), float(rng.uniform(16.0, 21.5))
    else:
        return {"ssdistnr": 60.0 if unmatched else MISSING, "ssmagnr": MISSING, "ssnamenr": "null"}
    return {"ssdistnr": distance, "ssmagnr": round(brightness, 1), "ssnamenr": str(int(rng.integers(100, 600000)))}
