"""The Hunter page: people look at candidates and say what they are; what they say reaches the next training set.

    Store ── listing ──> rows of the table, circles of the sky map      Query: all of it stands in the URL
          ── panel ────> stamps, light curve, probabilities, packet of one object
          <── vetting ── votes: who, when, withdrawable; confirmed when two people agree ── exporting ──> label table

query.py, listing.py    what is listed
skymap.py, curves.py, pictures.py    pictures, made here without a plotting library
panel.py, explaining.py    all about one object; the seam to what explains a model's answer
vetting.py, exporting.py    what people said, and as a table that data sets read
reporting.py    reports to TNS: shown, sent by a second press, followed
doors.py    who may look, who may vote
pages.py, routes.py, application.py    templates, routes, a whole application

`application.application` makes the page of a store; `serve_apps.hunter` serves it.
"""
