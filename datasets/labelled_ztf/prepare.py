"""Prepare this data set.

    python datasets/labelled_ztf/prepare.py --from FOLDER --out DIR [--quality SN=strong,medium]

FOLDER holds alert shards and an index.csv of labels. The same as
`skystamp prepare labelled_ztf`, whose options it takes.
"""

import sys
from pathlib import Path

from skystamp.cli import app

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    app(["prepare", HERE.name, f"--recipes={HERE.parent}", *sys.argv[1:]], prog_name="skystamp")
