"""What travels over HTTP: answers from outcomes, packets from bodies, and the refusal of a request.

answers.py   the JSON of outcomes, as types
bodies.py    a request's headers and bytes -> its Avro containers, never larger than the limits
refusals.py  every way in which a request can be refused, with its status and code
pages.py     the page of `/docs`, made from the OpenAPI document alone, so that it needs no other network

Nothing here knows a web framework or a cluster.
"""

from skystamp.api.answers import Answer, ServedModel, answer, answer_json, outcome_answer
from skystamp.api.bodies import Bodies, Room, Share
from skystamp.api.refusals import Refusal

__all__ = ["Answer", "Bodies", "Refusal", "Room", "ServedModel", "Share", "answer", "answer_json", "outcome_answer"]
