"""Prepare this data set.

    python datasets/synthetic_sequences/prepare.py --out DIR [--objects N] [--seed S]

Without `--from` it simulates first, into DIR/packets. The same as `skystamp prepare synthetic_sequences`, whose options
it takes.
"""

import sys
from pathlib import Path

from skystamp.cli import app

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    app(["prepare", HERE.name, f"--recipes={HERE.parent}", *sys.argv[1:]], prog_name="skystamp")
