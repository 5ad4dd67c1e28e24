"""Packets, as they come -> outcomes, as they are stored: the way of an alert when there is a store.

    packet ── arrivals ──> Arrival ── plan ──> Plan: what each model is to be asked ── answers ──> settle ──> Batch
                                       │ index, alerts                                              │ outcomes
                                     store <───────────────────── record ───────────────────────────┘

`answer` does all of it with models of this process. A service whose models run elsewhere calls the steps itself:
`plan`, then its models for ``plan.questions``, then `settle` and `Store.record`, and again from `plan` when that says
`store.Outdated`. Whatever the order in which packets come, however often and by how many writers, the store ends as if
they had come once, in order (docs/decisions/0016).

arriving.py    packets to arrivals
planning.py    what is new, what a late packet changes, what has to be asked
dropped.py     what is answered where retention has dropped cutouts
settling.py    answers to outcomes and to a batch
answering.py   `answer`, `rescore`
"""

from skystamp.live.answering import answer, rescore
from skystamp.live.arriving import Arrival, arrivals
from skystamp.live.planning import Plan, Served, plan
from skystamp.live.settling import settle

__all__ = ["Arrival", "Plan", "Served", "answer", "arrivals", "plan", "rescore", "settle"]
