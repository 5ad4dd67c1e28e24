import gzip
import io

import numpy as np
import pytest
from astropy.io import fits

from skystamp import avro
from skystamp.synthetic import SyntheticObject, schema, write_packet
from skystamp.synthetic.packets import fits_bytes


def test_every_record_is_valid_under_the_schema_and_reads_back(every_object: list[SyntheticObject]):
    for made in every_object:
        for record in made.records:
            decoded = next(iter(avro.read(write_packet(record), history=True)))

            assert decoded.record["objectId"] == record["objectId"]
            assert decoded.record["candid"] == record["candid"]


def test_every_field_of_the_candidate_is_filled(every_object: list[SyntheticObject]):
    names = {field["name"] for field in schema()["__named_schemas"]["ztf.alert.candidate"]["fields"]}

    for made in every_object:
        row = made.records[0]["candidate"]
        assert set(row) == names
        assert [name for name in names if row[name] is None] == []


def test_no_number_is_nan_or_infinite(every_object: list[SyntheticObject]):
    for made in every_object:
        for record in made.records:
            numbers = [value for value in record["candidate"].values() if isinstance(value, float)]
            assert np.isfinite(numbers).all()


def test_publisher_and_object_id_say_that_the_packet_is_synthetic(every_object: list[SyntheticObject]):
    for made in every_object:
        assert made.records[0]["publisher"] == "skystamp synthetic"
        assert made.records[0]["objectId"].startswith("ZTF")
        assert made.records[0]["objectId"][5] == "z"


def test_cutouts_are_63_by_63_fits(every_object: list[SyntheticObject]):
    record = every_object[0].records[0]

    for key in ("cutoutScience", "cutoutTemplate", "cutoutDifference"):
        block = gzip.decompress(record[key]["stampData"])
        assert len(block) == 7 * 2880
        assert np.frombuffer(block[2880 : 2880 + 4 * 63 * 63], ">f4").size == 63 * 63


@pytest.mark.filterwarnings("ignore:Found a SIMPLE card")
def test_fits_bytes_read_back_by_astropy_with_their_nans():
    image = np.arange(63 * 63, dtype=np.float64).reshape(63, 63)
    image[0, 0] = np.nan

    read = fits.open(io.BytesIO(gzip.decompress(fits_bytes(image))))[0].data

    np.testing.assert_array_equal(read, image.astype(np.float32))


def test_equal_images_are_equal_bytes():
    image = np.ones((63, 63))

    assert fits_bytes(image) == fits_bytes(image.copy())
