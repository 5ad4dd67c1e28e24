"""ALeRCE's read API over our store, so that the published `alerce` client works once its addresses point here.

    request ── asking (parameters, refused or understood) ── store ── rows by ALeRCE's names ── JSON

names.py         our models, classes and filters by ALeRCE's names
asking.py        the parameters of a list of objects
answers.py       what is answered, as types, for the document
objects.py       objects of a list, or one
photometry.py    detections and non-detections; forced.py what packets tell of forced photometry
magstats.py      statistics of an object's detections
scores.py        probabilities, classifiers and their classes, features
packets.py       stamps and packets
routes.py        the routes; errors.py refusals in ALeRCE's form; application.py all of it

What we have not is null or an empty list, never made up: magnitudes are of the difference and none is corrected.
"""
