"""What AllWISE lists at and about a synthetic object, from the object's truth alone.

    Truth ── its own source, or its host ──> true W1..W4 and place ── depth, noise, upper limits ──> Infrared
    Truth ── the other sources of that piece of sky ─────────────────────────────────────────────────> Infrared ...

Promises the same answer for the same truth, whatever else is simulated and whenever: the generator is keyed by the
object's name, and packets know nothing of it. A simulation made before can therefore be given its catalogue later.
The truth does not say in which direction the host lies nor of what type it is: both are drawn here.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic import sky, spectra
from skystamp.synthetic.objects import Truth
from skystamp.synthetic.sky import Position
from skystamp.synthetic.spectra import Bands

MATCH_ARCSEC = 2.0
REACH_ARCSEC = 12.0
"""Within this distance of an object every source is listed."""

_BEAM = 6.1  # arcsec in W1 (Wright et al. 2010, AJ 140, 1868): nearer sources are one
_LIMITS = np.array([16.9, 16.0, 11.5, 8.0])  # 5 sigma: 54, 71, 730, 5000 uJy (AllWISE Explanatory Supplement II.3)
_FIVE_SIGMA = 0.2183  # the error of a 5-sigma detection, mag
_FLOORS = np.array([0.022, 0.02, 0.014, 0.015])  # least error of a bright source, mag
_DUST = 1.0 - np.array([0.075, 0.055, 0.03, 0.02])  # of the extinction in r, what each band is spared
_EARLY_HOSTS = {"seyfert": 0.45, "quasar": 0.7, "blazar": 0.9, "Ia": 0.28}
_SOURCES = 747_634_026  # in the catalogue (Cutri et al. 2013, VizieR II/328)
_WHOLE_SKY = 41252.961  # square degrees
_CROWDED = 0.245  # mean over the sphere of exp(-|b| / 15 deg)
_POLE = 13_000.0  # sources a square degree far from the plane


@dataclass(frozen=True)
class Infrared:
    """A row of the catalogue.

    Attributes
    ----------
    name : str
        AllWISE's designation: the position, truncated.
    ra, dec : float
        deg, ICRS.
    mags : float64 [4]
        W1 to W4 [Vega mag]; an upper limit (95 %) where the error is NaN, as in the real catalogue.
    errors : float64 [4]
        Their errors [mag], NaN where there is only a limit.
    """

    name: str
    ra: float
    dec: float
    mags: Float64[np.ndarray, "4"]
    errors: Float64[np.ndarray, "4"]


@dataclass(frozen=True)
class _Source:
    """A source before it is observed: offset from the object and size of its blur [arcsec], true magnitudes."""

    x: float
    y: float
    blur: float
    mags: Bands


def infrared(truth: Truth) -> Infrared | None:
    """Return what the catalogue lists nearest to an object within 2 arcsec: itself, its host or a chance source.

    None where it lists nothing there.
    """
    rows = [row for row in catalogued(truth) if separation(row, truth.ra, truth.dec) <= MATCH_ARCSEC]
    return min(rows, key=lambda row: separation(row, truth.ra, truth.dec), default=None)


def catalogued(truth: Truth) -> tuple[Infrared, ...]:
    """Return every row within REACH_ARCSEC (or a little more: the host's, wherever it is), the object's own first."""
    digest = hashlib.sha256(f"skystamp allwise {truth.object_id}".encode()).digest()
    rng = np.random.default_rng(list(digest[:16]))
    here = sky.position(truth.ra, truth.dec)
    limits = depth(here)
    own = _counterpart(rng, truth, here)
    rows = [] if own is None else [_observed(rng, own, here, limits)]
    listed = [row for row in rows if np.any(row.errors <= _FIVE_SIGMA)]
    taken = own if listed else None
    return (*listed, *(_observed(rng, one, here, limits) for one in _others(rng, here, limits, taken)))


def separation(row: Infrared, ra: float, dec: float) -> float:
    """Return the distance of a row from (ra, dec) [arcsec], good for small ones."""
    east = ((row.ra - ra + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(dec))
    return float(np.hypot(east, row.dec - dec) * 3600.0)


def density(here: Position) -> float:
    """Return the sources in a square degree: 13,000 at the poles of the Galaxy, 34,000 in its plane.

    An exponential in latitude whose mean over the sphere is that of the catalogue: 747,634,026 over the sky.
    """
    crowding = (_SOURCES / _WHOLE_SKY - _POLE) / _CROWDED
    return float(_POLE + crowding * np.exp(-abs(here.gal_b) / 15.0))


def depth(here: Position) -> Bands:
    """Return the 5-sigma limits of W1 to W4 [mag]: deeper where scans overlap, shallower where stars crowd.

    The number of scans grows as 1 / cos(ecliptic latitude) (Wright et al. 2010, section 2.1); the limits are the
    catalogue's at 30 deg.
    """
    scans = np.cos(np.deg2rad(30.0)) / max(float(np.cos(np.deg2rad(here.ecl_b))), 0.05)
    crowding = 0.9 * np.exp(-abs(here.gal_b) / 5.0) * np.array([1.0, 0.8, 0.6, 0.5])
    return np.asarray(_LIMITS + 1.25 * np.log10(scans) - crowding, dtype=np.float64)


def _counterpart(rng: np.random.Generator, truth: Truth, here: Position) -> _Source | None:
    """Return the source that belongs to an object, None where nothing does or its brightness is not known."""
    if truth.cls == "AGN":
        return _nucleus(rng, truth, here)
    if truth.cls == "VS":
        return _star(rng, truth)
    if truth.cls == "SN":
        return _host(rng, truth, here)
    return _star_beside(rng, truth.subtype) if truth.cls == "bogus" else None


def _star(rng: np.random.Generator, truth: Truth) -> _Source | None:
    if truth.own_r is None or truth.own_g is None:
        return None
    kind = spectra.STARS.get(truth.subtype, spectra.photosphere)
    return _Source(0.0, 0.0, 0.0, kind(rng, truth.own_r, truth.own_g - truth.own_r))


def _nucleus(rng: np.random.Generator, truth: Truth, here: Position) -> _Source | None:
    if truth.own_r is None or truth.redshift is None:
        return None
    dust = sky.extinction(here)
    r = truth.own_r - dust
    if truth.subtype == "seyfert":
        bare = spectra.seyfert_nucleus(rng, r)
    else:
        bare = (spectra.quasar if truth.subtype == "quasar" else spectra.blazar)(rng, r, truth.redshift)
    host = _galaxy(rng, truth, here)
    seen = bare + dust * (1.0 - _DUST)
    return _Source(0.0, 0.0, 0.0, seen) if host is None else _Source(0.0, 0.0, 0.1, spectra.together(seen, host))


def _host(rng: np.random.Generator, truth: Truth, here: Position) -> _Source | None:
    """Return the host of a supernova, at its distance in a direction that is drawn."""
    mags = _galaxy(rng, truth, here)
    if mags is None or truth.host_offset is None:
        return None
    turn = rng.uniform(0.0, 2.0 * np.pi)
    return _Source(float(truth.host_offset * np.cos(turn)), float(truth.host_offset * np.sin(turn)), 0.15, mags)


def _galaxy(rng: np.random.Generator, truth: Truth, here: Position) -> Bands | None:
    if truth.host_r is None or truth.redshift is None:
        return None
    dust = sky.extinction(here)
    early = bool(rng.random() < _EARLY_HOSTS.get(truth.subtype, 0.0))
    return spectra.galaxy(rng, truth.host_r - dust, truth.redshift, early=early) + dust * (1.0 - _DUST)


def _star_beside(rng: np.random.Generator, subtype: str) -> _Source | None:
    """Return a star like the one at which a subtraction failed (its distance and magnitude as in `flaws`)."""
    if subtype not in ("dipole", "bright star", "saturated"):
        return None
    distance, r = {
        "dipole": (rng.uniform(0.0, 1.2), rng.uniform(13.0, 19.0)),
        "bright star": (rng.exponential(2.0), rng.uniform(11.8, 17.0)),
        "saturated": (rng.uniform(3.0, 22.0), rng.uniform(7.5, 12.0)),
    }[subtype]
    turn = rng.uniform(0.0, 2.0 * np.pi)
    mags = spectra.photosphere(rng, float(r), float(np.clip(rng.normal(0.8, 0.35), -0.2, 1.6)))
    return _Source(float(distance * np.cos(turn)), float(distance * np.sin(turn)), 0.0, mags)


def _others(rng: np.random.Generator, here: Position, limits: Bands, own: _Source | None) -> list[_Source]:
    """Return the sources that lie there by chance, without those that the own one's beam swallows."""
    area = np.pi * (REACH_ARCSEC / 3600.0) ** 2
    made = []
    for _ in range(int(rng.poisson(density(here) * area))):
        away, turn = REACH_ARCSEC * np.sqrt(rng.random()), rng.uniform(0.0, 2.0 * np.pi)
        x, y = float(away * np.cos(turn)), float(away * np.sin(turn))
        mags = _chance(rng, here, float(limits[0]))
        if own is None or np.hypot(x - own.x, y - own.y) > _BEAM:
            made.append(_Source(x, y, 0.0, mags))
    return made


def _chance(rng: np.random.Generator, here: Position, limit: float) -> Bands:
    """Return a field source: a star or, the more often the farther from the plane, a distant galaxy."""
    w1 = limit + float(np.log10(rng.uniform(1e-3, 1.0))) / 0.28
    galaxies = 0.6 * (1.0 - float(np.exp(-abs(here.gal_b) / 20.0)))
    if rng.random() < galaxies * float(np.clip((w1 - 13.0) / 3.0, 0.0, 1.0)):
        return spectra.bands(w1, float(rng.normal(0.25, 0.2)), float(rng.normal(3.2, 0.7)), float(rng.normal(2.2, 0.3)))
    return spectra.bands(w1, float(rng.normal(-0.02, 0.05)), float(rng.normal(0.06, 0.1)), float(rng.normal(0.05, 0.1)))


def _observed(rng: np.random.Generator, source: _Source, here: Position, limits: Bands) -> Infrared:
    """Return a source as measured: noise of the sky, the floor of the calibration, 95 % limits below 2 sigma.

    A position is as good as the source is bright (0.1 arcsec, 0.4 at 5 sigma), and worse for what is extended.
    """
    snr = 5.0 * 10.0 ** (-0.4 * (source.mags - limits))
    seen = snr + rng.normal(0.0, 1.0, 4)
    measured = seen >= 2.0
    counts = np.where(measured, seen, np.maximum(seen, 0.0) + 2.0)
    mags = limits - 2.5 * np.log10(counts / 5.0) + rng.normal(0.0, 1.0, 4) * _FLOORS
    errors = np.where(measured, np.hypot(_FLOORS, 1.0857 / counts), np.nan)
    wobble = rng.normal(0.0, 1.0, 2) * float(np.hypot(np.hypot(0.08, source.blur), 2.0 / max(snr.max(), 5.0)))
    ra, dec = _shifted(here, source.x + float(wobble[0]), source.y + float(wobble[1]))
    return Infrared(designation(ra, dec), ra, dec, np.round(mags, 3), np.round(errors, 3))


def _shifted(here: Position, x: float, y: float) -> tuple[float, float]:
    """Return (ra, dec) in deg of an offset (x, y) [arcsec]; x runs against right ascension, as in the packets."""
    dec = float(np.clip(here.dec + y / 3600.0, -90.0, 90.0))
    ra = (here.ra - x / 3600.0 / max(float(np.cos(np.deg2rad(dec))), 1e-3)) % 360.0
    return round(ra, 7), round(dec, 7)


def designation(ra: float, dec: float) -> str:
    """Return AllWISE's name of a position in deg, as J124131.46+260233.6: truncated, never rounded."""
    centiseconds = int(ra % 360.0 / 15.0 * 3600.0 * 100.0 + 1e-6)
    tenths = int(abs(dec) * 3600.0 * 10.0 + 1e-6)
    hours, minutes = divmod(centiseconds // 6000, 60)
    degrees, arcminutes = divmod(tenths // 600, 60)
    sign = "-" if dec < 0 else "+"
    east = f"{hours:02d}{minutes:02d}{centiseconds % 6000 / 100:05.2f}"
    return f"J{east}{sign}{degrees:02d}{arcminutes:02d}{tenths % 600 / 10:04.1f}"
