"""Candidates that people confirmed -> reports to the Transient Name Server (TNS), guarded, never twice, all recorded.

    Store ── subject ──> one object as a report needs it ── report ──> the bulk AT report, JSON
                                │                             └─────── settings, codes
                                └── guards ──> what speaks against it, by code
    desk ── client ──> TNS: is it known there? here is a report; what became of it?   ── replies ──> what that means

settings.py, codes.py                  who reports, and to which server; TNS's numbers of instruments and filters
subject.py, rising.py, report.py       what is told of an object
guards.py                              why something is not reported, and what a person may pass by name
client.py, replies.py, faults.py       HTTP, TNS's answers, and in what ways they can be none
desk.py                                each step, stored before the next

Nothing is sent by default: a draft is made and shown, and sending it is another call.
"""

from skystamp.tns.client import Patience
from skystamp.tns.desk import OPEN, Desk, Draft
from skystamp.tns.faults import TnsError
from skystamp.tns.guards import OVERRIDABLE, Guard, Objection, People, Transient
from skystamp.tns.settings import KEY, Settings, checked, read

__all__ = [
    "KEY",
    "OPEN",
    "OVERRIDABLE",
    "Desk",
    "Draft",
    "Guard",
    "Objection",
    "Patience",
    "People",
    "Settings",
    "TnsError",
    "Transient",
    "checked",
    "read",
]
