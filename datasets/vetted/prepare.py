"""Prepare this data set.

    python datasets/vetted/prepare.py --from FOLDER --labels TABLE.csv --out DIR [--quality bogus=confirmed,single]

FOLDER holds the packets of `skystamp labels export`, TABLE its labels. The same as
`skystamp prepare vetted`, whose options it takes.
"""

import sys
from pathlib import Path

from skystamp.cli import app

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    app(["prepare", HERE.name, f"--recipes={HERE.parent}", *sys.argv[1:]], prog_name="skystamp")
