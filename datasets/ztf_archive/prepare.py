"""Prepare this data set.

    python datasets/ztf_archive/prepare.py --from NIGHT.tar.gz --labels TABLE.csv --out DIR

`--from` takes files, folders and URLs, once for each. The same as
`skystamp prepare ztf_archive`, whose options it takes.
"""

import sys
from pathlib import Path

from skystamp.cli import app

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    app(["prepare", HERE.name, f"--recipes={HERE.parent}", *sys.argv[1:]], prog_name="skystamp")
