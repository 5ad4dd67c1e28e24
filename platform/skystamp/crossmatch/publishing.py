"""A folder of partitions -> a catalogue that `hats` and `lsdb` read: its properties, lists and map, written by `hats`.

The home of `hats`, which takes seconds to import: only what builds a catalogue imports this module.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from hats.catalog import PartitionInfo
from hats.catalog.dataset.table_properties import TableProperties
from hats.io import write_parquet_metadata
from hats.io.size_estimates import estimate_dir_size
from hats.io.skymap import write_skymap
from hats.pixel_math import HealpixPixel
from jaxtyping import Int64

from skystamp.crossmatch import pixels

INDEX = "_healpix_29"
SKYMAP_ORDER = 6


def publish(
    folder: Path,
    name: str,
    position: tuple[str, str],
    partitions: Mapping[tuple[int, int], int],
    density: Int64[np.ndarray, " pixel"],
    more: Mapping[str, str],
) -> None:
    """Write what stands beside the partitions of a folder.

    Parameters
    ----------
    folder : Path
        With ``dataset/Norder=.../Dir=.../Npix=...parquet``.
    name : str
        The catalogue's.
    position : pair of str
        Names of the columns of right ascension and declination.
    partitions : mapping
        Order and number of each partition to its rows.
    density : int64, axis (pixel of order `SKYMAP_ORDER`)
        Rows a pixel: the catalogue's map.
    more : mapping
        Further properties, as hats_creation_date.
    """
    PartitionInfo.from_healpix([HealpixPixel(*pixel) for pixel in partitions]).write_to_file(catalog_path=folder)
    if partitions:
        write_parquet_metadata(folder)
    write_skymap(density, folder)
    properties = TableProperties(
        catalog_name=name,
        catalog_type="object",
        total_rows=sum(partitions.values()),
        ra_column=position[0],
        dec_column=position[1],
        healpix_column=INDEX,
        healpix_order=pixels.FINEST,
        npix_suffix=".parquet",
        skymap_order=SKYMAP_ORDER,
        hats_max_rows=max(partitions.values(), default=0),
        hats_estsize=estimate_dir_size(folder, divisor=1024),
        moc_sky_fraction=float(np.mean(density > 0)),
        hats_version="v1.0",
        **more,
    )
    properties.to_properties_file(folder)
