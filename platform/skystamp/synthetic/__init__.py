"""Synthetic nights: whole ZTF-schema packets of known class, drawn from a seed.

Makes records, packets and their truth out of (seed, index) alone; see objects.simulate_object.
"""

from skystamp.synthetic.nights import Night, fresh_night
from skystamp.synthetic.objects import JD_RANGE, PRIORS, SyntheticObject, Truth, simulate_object
from skystamp.synthetic.packets import schema, write_packet
from skystamp.synthetic.populations import CLASSES
from skystamp.synthetic.wise import Infrared, catalogued, infrared

__all__ = [
    "CLASSES",
    "JD_RANGE",
    "PRIORS",
    "Infrared",
    "Night",
    "SyntheticObject",
    "Truth",
    "catalogued",
    "fresh_night",
    "infrared",
    "schema",
    "simulate_object",
    "write_packet",
]
