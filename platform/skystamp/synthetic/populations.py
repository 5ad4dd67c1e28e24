"""What there is on the sky to be found: one object of a class, with its host and its light curve.

Makes a Target out of a class name and a generator. Rates, magnitudes and amplitudes follow the populations in
nature seen through a survey that reaches magnitude 20.5, not any sample of labelled alerts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skystamp.synthetic import curves, hosts
from skystamp.synthetic.curves import Curve
from skystamp.synthetic.sky import Position, extinction, isotropic, near_ecliptic, near_plane
from skystamp.synthetic.sources import Galaxy

CLASSES = ("AGN", "SN", "VS", "asteroid", "bogus", "satellite")


@dataclass(frozen=True)
class Target:
    """One object before it is observed.

    Attributes
    ----------
    cls, subtype : str
        Class and kind, the truth.
    here : Position
    curve : Curve or None
        Light curve; None where nothing in the sky shines (bogus).
    host : Galaxy or None
        Galaxy about the object, with its offset.
    redshift : float or None
    rate, heading : float
        Apparent motion [arcsec/hour] and its direction on the image [rad].
    lasting : bool
        Whether it stays, so that later exposures can see it again.
    """

    cls: str
    subtype: str
    here: Position
    curve: Curve | None
    host: Galaxy | None = None
    redshift: float | None = None
    rate: float = 0.0
    heading: float = 0.0
    lasting: bool = True


def _pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    weights = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def _rising(rng: np.random.Generator, brightest: float, faintest: float, slope: float) -> float:
    """Return a magnitude of counts that rise as 10^(slope mag) between two limits."""
    low = 10.0 ** (slope * (brightest - faintest))
    return float(faintest + np.log10(rng.uniform(low, 1.0)) / slope)


def _agn(rng: np.random.Generator) -> Target:
    kind = _pick(rng, {"quasar": 0.45, "blazar": 0.29, "seyfert": 0.26})
    here = isotropic(rng, min_gal_b=7.5)
    dust = extinction(here)
    if kind == "seyfert":
        redshift = float(rng.uniform(0.015, 0.22) ** 0.8)
        nearby = hosts.bright_host(rng, redshift, dust)
        host: Galaxy | None = nearby
        r = float(nearby.mags[1] + rng.normal(1.0, 0.9))
        colour, amplitude, tau = rng.normal(0.35, 0.15), rng.lognormal(-1.25, 0.4), rng.lognormal(5.3, 0.6)
    else:
        redshift = float(rng.gamma(4.0, 0.35) if kind == "quasar" else rng.gamma(2.5, 0.3)) + 0.08
        r = _rising(rng, 14.5, 20.4 if kind == "quasar" else 19.4, 0.30 if kind == "quasar" else 0.22)
        host = hosts.faint_host(rng, redshift, r, dust)
        colour = rng.normal(0.2, 0.18) if kind == "quasar" else rng.normal(0.45, 0.15)
        if kind == "quasar":
            amplitude, tau = rng.lognormal(-1.25, 0.45), rng.lognormal(6.0, 0.6)
        else:
            amplitude, tau = rng.lognormal(-0.65, 0.4), rng.lognormal(4.4, 0.8)
    curve = curves.damped_random_walk(rng, r + float(colour), r, float(min(amplitude, 1.2)), float(tau))
    return Target("AGN", kind, here, curve, host, redshift)


# kind: share, peak absolute magnitude (g) and its scatter, rise, e-folding days g and r, tail share, peak g-r
_SUPERNOVAE: dict[str, tuple[float, float, float, float, tuple[float, float], float, float]] = {
    "Ia": (0.62, -19.2, 0.35, 17.0, (13.0, 19.0), 0.12, -0.02),
    "II": (0.22, -17.3, 0.8, 9.0, (32.0, 55.0), 0.25, 0.05),
    "Ibc": (0.08, -17.6, 0.6, 16.0, (11.0, 17.0), 0.10, 0.35),
    "IIn": (0.05, -18.8, 0.8, 22.0, (45.0, 65.0), 0.25, 0.05),
    "SLSN": (0.03, -21.0, 0.5, 35.0, (40.0, 60.0), 0.10, -0.10),
}


def _supernova(rng: np.random.Generator, jd_range: tuple[float, float]) -> Target:
    kind = _pick(rng, {name: row[0] for name, row in _SUPERNOVAE.items()})
    _, peak, spread, rise, (fall_g, fall_r), tail, colour = _SUPERNOVAE[kind]
    absolute = float(rng.normal(peak, spread))
    limit = _rising(rng, 15.0, 19.8, 0.22)
    modulus = limit - absolute
    redshift = hosts.redshift_of(modulus)
    here = isotropic(rng, min_gal_b=8.0)
    host = hosts.supernova_host(rng, redshift, kind, extinction(here))
    stretch = float(np.clip(rng.normal(1.0, 0.12), 0.6, 1.4)) * (1.0 + redshift)
    peak_jd = float(rng.uniform(jd_range[0] - 20.0, jd_range[1] + 10.0))
    red = limit - colour + float(rng.normal(0.0, 0.1)) - 1.5 * min(redshift, 0.2)
    curve = curves.transient(
        peak_jd, limit, red, rise * stretch, (fall_g * stretch, fall_r * stretch), tail * float(rng.uniform(0.6, 1.4))
    )
    return Target("SN", kind, here, curve, host, redshift)


def _pulsator(rng: np.random.Generator, here: Position, kind: str, r: float) -> Curve:
    colour = extinction(here) * 0.35
    if kind == "RRL":
        if rng.random() < 0.75:
            period, height = rng.uniform(0.42, 0.75), rng.uniform(0.5, 1.25)
            return curves.periodic(rng, r + 0.25 + colour, r, float(height), float(period), "saw")
        period, height = rng.uniform(0.22, 0.45), rng.uniform(0.35, 0.6)
        return curves.periodic(rng, r + 0.2 + colour, r, float(height), float(period), "sine")
    if kind == "DSCT":
        height = rng.uniform(0.12, 0.6)
        return curves.periodic(rng, r + 0.25 + colour, r, float(height), float(rng.uniform(0.04, 0.2)), "sine")
    height, period = rng.uniform(0.4, 1.1), rng.lognormal(1.8, 0.7)
    return curves.periodic(rng, r + 0.8 + 2.0 * colour, r, float(height), float(period), "saw")


def _star_curve(rng: np.random.Generator, here: Position, kind: str, r: float) -> Curve:
    colour = extinction(here) * 0.35
    if kind == "EB":
        depth = float(np.clip(rng.lognormal(-0.9, 0.5), 0.1, 2.0))
        return curves.periodic(
            rng, r + rng.normal(0.6, 0.25) + colour, r, depth, float(rng.lognormal(-0.6, 0.9)), "eclipse"
        )
    if kind == "rotator":
        height, period = rng.uniform(0.06, 0.3), rng.lognormal(1.5, 0.9)
        return curves.periodic(rng, r + rng.normal(1.0, 0.25) + colour, r, float(height), float(period), "sine")
    if kind == "LPV":
        height, period = np.clip(rng.lognormal(-0.2, 0.8), 0.15, 5.0), rng.lognormal(4.9, 0.6)
        return curves.long_period(rng, r + rng.normal(1.7, 0.35) + colour, r, float(height), float(period))
    if kind == "CV":
        recurrence, decay = rng.lognormal(4.4, 0.9), rng.uniform(3.0, 9.0)
        return curves.outbursts(
            rng, r + rng.normal(0.15, 0.2), r, float(rng.uniform(2.0, 5.5)), float(recurrence), float(decay)
        )
    if kind == "YSO":
        height, tau = rng.lognormal(-1.0, 0.5), rng.lognormal(2.5, 1.0)
        return curves.damped_random_walk(rng, r + rng.normal(1.4, 0.3), r, float(height), float(tau))
    return _pulsator(rng, here, kind, r)


# kind: share, exponential scale of |b| (None: the halo), brightest and faintest mean r, slope of the counts
_VARIABLES: dict[str, tuple[float, float | None, float, float, float]] = {
    "EB": (0.30, 19.0, 12.3, 18.6, 0.06),
    "RRL": (0.20, None, 13.2, 19.5, 0.03),
    "LPV": (0.15, 9.0, 11.8, 17.8, 0.05),
    "rotator": (0.12, 21.0, 12.4, 17.2, 0.08),
    "DSCT": (0.07, 19.0, 12.6, 17.6, 0.08),
    "Cepheid": (0.04, 4.0, 12.0, 17.5, 0.12),
    "CV": (0.07, 27.0, 16.5, 22.5, 0.25),
    "YSO": (0.05, 6.0, 13.0, 19.5, 0.25),
}


def _variable_star(rng: np.random.Generator) -> Target:
    kind = _pick(rng, {name: row[0] for name, row in _VARIABLES.items()})
    _, scale, brightest, faintest, slope = _VARIABLES[kind]
    halo = rng.random() < 0.55
    here = near_plane(rng, scale or 22.0) if scale or not halo else isotropic(rng, min_gal_b=12.0)
    r = _rising(rng, brightest, faintest, slope)
    return Target("VS", kind, here, _star_curve(rng, here, kind, r))


def _asteroid(rng: np.random.Generator) -> Target:
    here = near_ecliptic(rng)
    kind = _pick(rng, {"main belt": 0.93, "near earth": 0.04, "outer": 0.03})
    rate = {"main belt": rng.uniform(2.0, 45.0), "near earth": rng.lognormal(4.8, 0.8), "outer": rng.uniform(0.1, 6.0)}
    r = _rising(rng, 14.5, 20.8, 0.27)
    curve = curves.constant(r + float(rng.normal(0.55, 0.08)), r)
    moving = min(float(rate[kind]), 1500.0)
    return Target("asteroid", kind, here, curve, None, None, moving, float(rng.uniform(0.0, 2 * np.pi)), lasting=False)


def _satellite(rng: np.random.Generator) -> Target:
    here = isotropic(rng)
    kind = _pick(rng, {"glint": 0.55, "glints": 0.25, "trail": 0.20})
    r = _rising(rng, 14.5, 19.8, 0.3)
    heading = float(rng.uniform(0.0, 2 * np.pi))
    return Target("satellite", kind, here, curves.constant(r + 0.5, r), heading=heading, lasting=False)


BOGUS_KINDS: dict[str, float] = {
    "noise": 0.10,
    "cosmic ray": 0.13,
    "hot pixel": 0.07,
    "cluster": 0.21,
    "bad column": 0.07,
    "dipole": 0.10,
    "bright star": 0.13,
    "saturated": 0.06,
    "edge": 0.04,
    "template defect": 0.02,
    "multiple": 0.05,
    "ghost": 0.02,
}
_ON_STARS = frozenset({"dipole", "bright star", "saturated"})


def _bogus(rng: np.random.Generator, kind: str) -> Target:
    here = near_plane(rng, 25.0) if kind in _ON_STARS or rng.random() < 0.25 else isotropic(rng)
    return Target("bogus", kind, here, None, lasting=kind in _ON_STARS)


def draw_flaw(rng: np.random.Generator) -> str:
    """Return a kind of bogus, in the shares of BOGUS_KINDS among candidates that pass the survey's filter."""
    return _pick(rng, BOGUS_KINDS)


def draw_target(cls: str, rng: np.random.Generator, jd_range: tuple[float, float], flaw: str) -> Target:
    """Return one object of a class; ``flaw`` is the kind if it is bogus.

    Raises
    ------
    ValueError
        If ``cls`` is none of CLASSES.
    """
    makers: dict[str, Callable[[], Target]] = {
        "AGN": lambda: _agn(rng),
        "SN": lambda: _supernova(rng, jd_range),
        "VS": lambda: _variable_star(rng),
        "asteroid": lambda: _asteroid(rng),
        "bogus": lambda: _bogus(rng, flaw),
        "satellite": lambda: _satellite(rng),
    }
    if cls not in makers:
        raise ValueError(f"Class should be one of {', '.join(CLASSES)}. Received: cls={cls!r}")
    return makers[cls]()
