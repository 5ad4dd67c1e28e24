"""How bright objects are at any time: a light curve is a function of (jd, fid).

Makes closures over drawn parameters; each returns the total flux of the varying source as 10^(-0.4 mag),
float64, in the filter asked for (1 g, 2 r), 0 where it does not shine.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64
from scipy.signal import lfilter

from skystamp.synthetic.survey import SURVEY_END, SURVEY_START

Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]
Days = Float64[np.ndarray, "exposure"]
Filters = Int64[np.ndarray, "exposure"]


def flux_of(magnitude: np.ndarray | float) -> np.ndarray:
    """Return 10^(-0.4 mag)."""
    return np.power(10.0, -0.4 * np.asarray(magnitude, dtype=np.float64))


def constant(g: float, r: float) -> Curve:
    """Return a curve that does not vary."""

    def curve(jd: Days, fid: Filters) -> Days:
        return flux_of(np.where(fid == 1, g, r)) * np.ones_like(jd)

    return curve


def damped_random_walk(rng: np.random.Generator, g: float, r: float, amplitude: float, tau: float) -> Curve:
    """Return a damped random walk in magnitude about (g, r).

    ``amplitude`` is the asymptotic standard deviation in g [mag], ``tau`` the damping time [day] (Kelly et
    al. 2009, ApJ 698, 895); r varies 0.8 times as much. A night-to-night grid is interpolated.
    """
    days = np.arange(SURVEY_START - 500.0, SURVEY_END + 2.0)
    keep = np.exp(-1.0 / tau)
    kicks = rng.normal(0.0, amplitude * np.sqrt(1.0 - keep**2), days.size)
    kicks[0] = rng.normal(0.0, amplitude)
    walk = lfilter([1.0], [1.0, -keep], kicks)

    def curve(jd: Days, fid: Filters) -> Days:
        swing = np.interp(jd, days, walk)
        return flux_of(np.where(fid == 1, g + swing, r + 0.8 * swing))

    return curve


def _saw(phase: np.ndarray, rise: float) -> np.ndarray:
    """Return a sawtooth of magnitude: faint 0.5 to bright -0.5 within ``rise`` of the period, then slowly back."""
    return np.where(phase < rise, 0.5 - phase / rise, -0.5 + (phase - rise) / (1.0 - rise))


def _eclipse(phase: np.ndarray, depth: float) -> np.ndarray:
    """Return the dimming of an eclipsing pair with minima at 0 (1 deep) and 0.5 (``depth`` deep)."""
    first = np.exp(-0.5 * (np.minimum(phase, 1.0 - phase) / 0.06) ** 2)
    second = depth * np.exp(-0.5 * ((phase - 0.5) / 0.06) ** 2)
    return first + second - 0.15 * (1.0 - np.abs(np.cos(2.0 * np.pi * phase)))


def periodic(rng: np.random.Generator, g: float, r: float, amplitude: float, period: float, shape: str) -> Curve:
    """Return a strictly periodic curve: ``shape`` is ``"saw"``, ``"sine"`` or ``"eclipse"``; amplitude in g [mag]."""
    offset, rise, depth = rng.random(), rng.uniform(0.12, 0.3), rng.uniform(0.2, 1.0)
    red = 0.95 if shape == "eclipse" else 0.72

    def curve(jd: Days, fid: Filters) -> Days:
        phase = (jd / period + offset) % 1.0
        if shape == "saw":
            swing = _saw(phase, rise)
        elif shape == "sine":
            swing = 0.5 * np.sin(2.0 * np.pi * phase)
        else:
            swing = _eclipse(phase, depth)
        return flux_of(np.where(fid == 1, g + amplitude * swing, r + red * amplitude * swing))

    return curve


def long_period(rng: np.random.Generator, g: float, r: float, amplitude: float, period: float) -> Curve:
    """Return a semi-regular red giant: a sine whose strength and phase wander."""
    wander = damped_random_walk(rng, 0.0, 0.0, 0.25 * amplitude, 2.0 * period)
    offset = rng.random()

    def curve(jd: Days, fid: Filters) -> Days:
        swing = 0.5 * amplitude * np.sin(2.0 * np.pi * (jd / period + offset))
        return flux_of(np.where(fid == 1, g + swing, r + 0.7 * swing)) * wander(jd, fid)

    return curve


def outbursts(rng: np.random.Generator, g: float, r: float, height: float, recurrence: float, decay: float) -> Curve:
    """Return a dwarf nova: quiescence with bluish outbursts of ``height`` mag, each falling off in ``decay`` days."""
    gaps = rng.exponential(recurrence, int((SURVEY_END - SURVEY_START) / recurrence * 2.0) + 8) + 4.0 * decay
    starts = SURVEY_START - 200.0 * rng.random() + np.cumsum(gaps)
    heights = height * rng.uniform(0.75, 1.0, starts.size)

    def curve(jd: Days, fid: Filters) -> Days:
        last = np.clip(np.searchsorted(starts, jd) - 1, 0, starts.size - 1)
        age = jd - starts[last]
        lift = heights[last] * np.where(age < 1.5, age / 1.5, np.exp(-(((age - 1.5) / (2.0 * decay)) ** 2)))
        lift = np.where(age < 0.0, 0.0, lift)
        return flux_of(np.where(fid == 1, g - lift, r - 0.93 * lift))

    return curve


def transient(
    peak_jd: float, peak_g: float, peak_r: float, rise: float, fall: tuple[float, float], tail: float
) -> Curve:
    """Return a supernova: a rise of ``rise`` days, a fall (g, r e-folding days), a slow tail; 0 before the explosion.

    ``tail`` is the share of the peak flux in the slow tail (nickel decay, a plateau). r peaks two days later.
    """

    def curve(jd: Days, fid: Filters) -> Days:
        age = jd - peak_jd - np.where(fid == 1, 0.0, 2.0)
        efold = np.where(fid == 1, fall[0], fall[1])
        rising = np.clip((age + rise) / rise, 0.0, 1.0) ** 2
        late = np.maximum(age, 0.0)
        falling = (1.0 - tail) * np.exp(-((late / (1.8 * efold)) ** 1.5)) + tail * np.exp(-late / (4.5 * efold))
        return flux_of(np.where(fid == 1, peak_g, peak_r)) * np.where(age < 0.0, rising, falling)

    return curve
