"""Positions on the sky -> their nearest sources in an infrared catalogue: distance and magnitudes W1 to W4.

    table of sources ── build_catalogue ──> folder in HATS layout: Parquet by HEALPix pixel
    folder or URL ── open_catalogue ──> Catalogue ── match(ra, dec) ──> distance, W1, W2, W3, W4

    positions ─ pixels ─> cells of 6 arcsec, each with its eight neighbours
              ─ layout ─> partitions that have such cells, and no other
              ─ tiles ──> their sources, read once and kept in bounded memory
              ─ nearest ─> the nearest within 2 arcsec

The layout is that in which AllWISE is published and that `hats` and `lsdb` read and write. A position near a pixel's
border looks into the neighbour by itself; margin catalogues are not needed. No catalogue is `None`, not an empty one.
"""

from skystamp.crossmatch.building import Built, build_catalogue
from skystamp.crossmatch.catalogue import COLUMNS, RADIUS_ARCSEC, Catalogue, open_catalogue
from skystamp.crossmatch.matching import Matched, match_table

__all__ = [
    "COLUMNS",
    "RADIUS_ARCSEC",
    "Built",
    "Catalogue",
    "Matched",
    "build_catalogue",
    "match_table",
    "open_catalogue",
]
