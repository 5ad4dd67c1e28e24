"""Alert files and labels -> a folder of training shards, and the shards -> arrays.

collect.py   records -> labelled raw inputs or rejections, in bounded pieces               (no Ray)
staging.py   rows on a disk between two passes, taken again in any order                    (no Ray)
grouping.py  the index of all packets -> which rows make which shard, grouped by object     (no Ray)
matching.py  objects' positions -> their matches in a catalogue                             (Ray Data)
tensors.py   columns of arrays in Parquet files                                             (no Ray)
shards.py    the folder's form; `load_split`, `load_sequences`                              (no Ray)
describe.py  the manifest with its hash, the rejections with their counts
prepare.py   all of it over many files at once: `prepare.prepare`                           (Ray Data)
"""

from skystamp.cluster.data.shards import LabelledRaw, LabelledSequences, load_sequences, load_split, read_manifest

__all__ = ["LabelledRaw", "LabelledSequences", "load_sequences", "load_split", "read_manifest"]
