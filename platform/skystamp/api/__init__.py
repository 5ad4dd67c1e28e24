"""What travels over HTTP: who may ask, packets from bodies, answers from outcomes, and the refusal of a request.

    request ── application ── routes ── access (tokens, rates) ── receiving (bodies) ── Service ── answers

answers.py      the JSON of outcomes, as types
bodies.py       a request's headers and bytes -> its Avro containers, never larger than the limits
refusals.py     every way in which a request can be refused, with its status and code
pages.py        the page of `/docs`, made from the OpenAPI document alone, so that it needs no other network
tokens.py       a file of tokens, of which it holds the digests
rates.py        how much each token may still ask
access.py       a request's headers and peer -> who asks, if they may; what a router takes to need a scope
receiving.py    a request -> its containers, as long as there is room for them, and in time
routes.py       the routes that every service has
application.py  the application of a service: its routers, and refusals as JSON
metering.py     what is told to whoever measures

The first four know no web framework, and nothing here knows a cluster.
"""

from skystamp.api.answers import Answer, ServedModel, ShadowModel, answer, answer_json, outcome_answer
from skystamp.api.bodies import Bodies, Room, Share
from skystamp.api.refusals import Refusal

__all__ = [
    "Answer",
    "Bodies",
    "Refusal",
    "Room",
    "ServedModel",
    "ShadowModel",
    "Share",
    "answer",
    "answer_json",
    "outcome_answer",
]
