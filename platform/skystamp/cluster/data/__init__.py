"""Alert files and labels -> a folder of training shards, and the shards -> arrays.

collect.py   records -> labelled raw inputs or rejections, in bounded pieces      (no Ray)
shards.py    the folder's form: Parquet with fixed-shape tensors; `load_split`    (no Ray)
prepare.py   both over many files at once: `prepare.prepare`                      (Ray Data)
"""

from skystamp.cluster.data.shards import LabelledRaw, load_split, read_manifest

__all__ = ["LabelledRaw", "load_split", "read_manifest"]
