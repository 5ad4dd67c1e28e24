"""Cutouts become stamps: the fast way gives what astropy gives, bit for bit, and every fault has its reason."""

import gzip
import io
import warnings
import zlib

import numpy as np
import pytest
from astropy.io import fits

from skystamp import avro, stamps, surveys
from skystamp.errors import Reason, Reject
from tests import making

RNG = np.random.default_rng(7)
PIXELS = RNG.normal(500, 80, (63, 63)).astype(np.float32)
BITS = np.array([0x7FC00001, 0xFFC0DEAD, 0x7F800000, 0xFF800000, 0x80000000, 0x00000001, 0x807FFFFF], np.uint32)


def fits_bytes(*hdus, checksum=False):
    """Return the bytes of a FITS file of these HDUs."""
    out = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(out, output_verify="silentfix", checksum=checksum)
    return out.getvalue()


def primary(data, **cards):
    hdu = fits.PrimaryHDU(data)
    for key, value in cards.items():
        hdu.header[key] = value
    return fits_bytes(hdu)


def scaled(data, bscale, bzero):
    """Return a file whose stored numbers `data` mean bscale * data + bzero."""
    out = bytearray(primary(data))
    end = out.index(b"END ".ljust(80))
    cards = f"BSCALE  = {bscale:20.8f}".ljust(80) + f"BZERO   = {bzero:20.8f}".ljust(80) + "END".ljust(80)
    out[end : end + 240] = cards.encode()
    return bytes(out)


def many_cards(count):
    hdu = fits.PrimaryHDU(PIXELS)
    for i in range(count):
        hdu.header[f"KEY{i}"] = (i, "one of many")
    return fits_bytes(hdu)


def spelled():
    hdu = fits.PrimaryHDU(PIXELS)
    hdu.header.add_comment("a comment")
    hdu.header.add_history("a history")
    hdu.header["OBJECT"] = ("a name with a quote's mark", "and a comment")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hdu.header["LONGSTRN"] = "continued " * 20
        hdu.header["HIERARCH a long keyword indeed"] = 4
    return fits_bytes(hdu)


def special(bits):
    """Return a file whose first pixels have these bits."""
    image = PIXELS.copy()
    image.reshape(-1).view(np.uint32)[: len(bits)] = bits
    return primary(image)


def integers(dtype):
    info = np.iinfo(dtype)
    return primary(RNG.integers(info.min, info.max, (63, 63), dtype, endpoint=True))


def blank():
    numbers = RNG.integers(-300, 300, (63, 63)).astype(np.int16)
    numbers[5] = -999
    return primary(numbers, BLANK=-999)


CASES = {
    "what ZTF sends": gzip.decompress(stamps.encode(PIXELS)),
    "written by astropy": primary(PIXELS),
    "BSCALE and BZERO": scaled(PIXELS, 2.5, -17.0),
    "BZERO alone": scaled(PIXELS, 1.0, 32.0),
    "BSCALE 1 and BZERO 0": scaled(PIXELS, 1.0, 0.0),
    "integers scaled": scaled(RNG.integers(-3000, 3000, (63, 63)).astype(np.int16), 0.25, 100.0),
    "integers of 8 bits": integers(np.uint8),
    "integers of 16 bits": integers(np.int16),
    "unsigned integers of 16 bits": integers(np.uint16),
    "integers of 32 bits": integers(np.int32),
    "integers of 64 bits": integers(np.int64),
    "float64": primary(PIXELS.astype(np.float64) / 3),
    "BLANK": blank(),
    "a header of one full block": many_cards(28),
    "a header of two blocks": many_cards(40),
    "a header of five blocks": many_cards(160),
    "COMMENT, HISTORY, CONTINUE, HIERARCH": spelled(),
    "checksums": fits_bytes(fits.PrimaryHDU(PIXELS), checksum=True),
    "wide": primary(PIXELS[:40]),
    "high": primary(PIXELS[:, :31]),
    "one pixel": primary(PIXELS[:1, :1]),
    "one row": primary(PIXELS[:1]),
    "an image in an extension": fits_bytes(fits.PrimaryHDU(), fits.ImageHDU(PIXELS)),
    "the second of two extensions": fits_bytes(
        fits.PrimaryHDU(), fits.BinTableHDU(np.zeros(3, [("a", "f4")])), fits.ImageHDU(PIXELS)
    ),
    "two images": fits_bytes(fits.PrimaryHDU(PIXELS), fits.ImageHDU(PIXELS + 1)),
    "compressed by RICE": fits_bytes(fits.PrimaryHDU(), fits.CompImageHDU(PIXELS, compression_type="RICE_1")),
    "compressed by GZIP": fits_bytes(
        fits.PrimaryHDU(), fits.CompImageHDU(PIXELS, compression_type="GZIP_1", quantize_level=0)
    ),
    "compressed integers": fits_bytes(
        fits.PrimaryHDU(), fits.CompImageHDU(PIXELS.astype(np.int32), compression_type="RICE_1")
    ),
    "NaN payloads, infinities, -0.0, subnormals": special(BITS),
    "all NaN": primary(np.full((63, 63), np.nan, np.float32)),
    "bytes after the image": primary(PIXELS) + bytes(2880),
}


def by_astropy(data):
    """Return the first image of a file, read with astropy alone and turned into float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(data)) as hdus:
            return np.array(next(hdu.data for hdu in hdus if hdu.is_image and hdu.data is not None)).astype(np.float32)


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype == np.float32 and np.array_equal(a.view("u4"), b.view("u4"))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("form", ["gzipped", "plain"])
def test_decoder_gives_what_astropy_gives_bit_for_bit(name, form):
    data = CASES[name]

    image = stamps.decode(gzip.compress(data) if form == "gzipped" else data)

    assert same_bits(image, by_astropy(data))


def test_fast_way_takes_what_ztf_sends(monkeypatch):
    def slow(data):
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(stamps, "decode_by_astropy", slow)

    assert same_bits(stamps.decode(stamps.encode(PIXELS)), PIXELS)
    assert same_bits(stamps.decode(primary(PIXELS[:40])), PIXELS[:40])


@pytest.mark.parametrize("name", ["BSCALE and BZERO", "integers of 16 bits", "a header of two blocks", "float64"])
def test_slow_way_takes_what_is_odd(name, monkeypatch):
    taken = []
    monkeypatch.setattr(stamps, "decode_by_astropy", lambda data: taken.append(1) or PIXELS)

    stamps.decode(CASES[name])

    assert taken


def test_encode_and_decode_keep_every_bit():
    image = PIXELS.copy()
    image.reshape(-1).view(np.uint32)[: len(BITS)] = BITS

    assert same_bits(stamps.decode(stamps.encode(image)), image)


def test_stamp_may_be_written_to():
    image = stamps.decode(stamps.encode(PIXELS))

    image[0, 0] = 1.0

    assert image.dtype.isnative


@pytest.mark.real
def test_decoder_gives_what_astropy_gives_on_every_real_cutout(real_alerts):
    count = 0
    for path in sorted((real_alerts / "ztf").glob("*.avro")):
        for item in avro.read(path.read_bytes()):
            for cutout in surveys.read(item.record, item.schema).cutouts.values():
                assert same_bits(stamps.decode(cutout), by_astropy(gzip.decompress(cutout)))
                count += 1

    assert count == 3 * (len((real_alerts / "ztf" / "index.csv").read_text().splitlines()) - 1)


@pytest.mark.real
def test_nearly_every_real_cutout_goes_the_fast_way(real_alerts, monkeypatch):
    path = max((real_alerts / "ztf").glob("*.avro"), key=lambda file: file.stat().st_size)
    alerts = [surveys.read(item.record, item.schema) for item in avro.read(path.read_bytes())]
    slow = []
    monkeypatch.setattr(stamps, "decode_by_astropy", lambda data: slow.append(1) or PIXELS)

    for alert in alerts:
        stamps.decode(alert.cutouts["science"])

    assert len(slow) <= len(alerts) // 100


GOOD = stamps.encode(PIXELS)


def damaged(data):
    """Return the data with their middle overwritten."""
    return data[:2000] + bytes(range(256)) + data[2256:]


FAULTS = {
    "nothing": (b"", Reason.NOT_GZIP),
    "text": (b"hello", Reason.NOT_GZIP),
    "a gzip magic alone": (b"\x1f\x8b", Reason.TRUNCATED_GZIP),
    "the first half": (GOOD[: len(GOOD) // 2], Reason.TRUNCATED_GZIP),
    "all but the last byte": (GOOD[:-1], Reason.TRUNCATED_GZIP),
    "bytes overwritten": (damaged(GOOD), Reason.CORRUPT_GZIP),
    "a wrong checksum": (GOOD[:-8] + b"\x00\x01\x02\x03" + GOOD[-4:], Reason.CORRUPT_GZIP),
    "an unknown method": (GOOD[:2] + b"\x09" + GOOD[3:], Reason.CORRUPT_GZIP),
    "a bomb": (gzip.compress(bytes(30_000_000), 1), Reason.TOO_LARGE),
    "gzipped text": (gzip.compress(b"not an image" * 1000), Reason.NOT_FITS),
    "gzipped nothing": (gzip.compress(b""), Reason.NOT_FITS),
    "a header alone": (gzip.compress(primary(PIXELS)[:2880]), Reason.NOT_FITS),
    "half an image": (gzip.compress(primary(PIXELS)[:9000]), Reason.NOT_FITS),
    "a header without END": (gzip.compress(primary(PIXELS).replace(b"END".ljust(80), b" " * 80)), Reason.NOT_FITS),
    "no image": (fits_bytes(fits.PrimaryHDU()), Reason.NOT_FITS),
    "a table alone": (
        fits_bytes(fits.PrimaryHDU(), fits.BinTableHDU(np.zeros(3, [("a", "f4")]))),
        Reason.NOT_FITS,
    ),
    "a cube": (primary(np.zeros((3, 63, 63), np.float32)), Reason.NOT_FITS),
    "a line": (primary(np.zeros(63, np.float32)), Reason.NOT_FITS),
    "an image of terabytes": (
        gzip.compress(primary(PIXELS).replace(b"NAXIS1  =                   63", b"NAXIS1  =        1000000000000")),
        Reason.NOT_FITS,
    ),
    "a negative side": (
        primary(PIXELS).replace(b"NAXIS1  =                   63", b"NAXIS1  =                  -63"),
        Reason.NOT_FITS,
    ),
    "an unknown BITPIX": (
        primary(PIXELS).replace(b"BITPIX  =                  -32", b"BITPIX  =                   33"),
        Reason.NOT_FITS,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_a_cutout_has_its_reason(name):
    cutout, reason = FAULTS[name]

    with pytest.raises(Reject) as caught:
        stamps.decode(cutout)

    assert caught.value.reason is reason
    assert len(caught.value.detail) < 400


@pytest.mark.parametrize("cut", range(0, len(GOOD), 97))
def test_cutout_that_ends_anywhere_early_is_rejected(cut):
    with pytest.raises(Reject):
        stamps.decode(GOOD[:cut])


def test_any_flipped_byte_gives_an_image_or_a_reject():
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(GOOD), 300):
        bad = bytearray(GOOD)
        bad[at] ^= int(rng.integers(1, 256))
        try:
            image = stamps.decode(bytes(bad))
        except Reject:
            continue
        assert image.ndim == 2


def test_flipped_byte_of_a_plain_header_gives_an_image_or_a_reject():
    rng, plain = np.random.default_rng(2), primary(PIXELS)
    for at in rng.integers(0, 1000, 300):
        bad = bytearray(plain)
        bad[at] ^= int(rng.integers(1, 256))
        try:
            image = stamps.decode(gzip.compress(bytes(bad), 1))
        except Reject:
            continue
        assert image.ndim == 2


@pytest.mark.parametrize(
    ("side", "crop", "expected"),
    [
        (63, 63, slice(0, 63)),
        (63, 21, slice(21, 42)),
        (63, 33, slice(15, 48)),
        (63, 41, slice(11, 52)),
        (63, 45, slice(9, 54)),
        (63, 16, slice(23, 39)),
        (16, 8, slice(4, 12)),
        (16, 5, slice(5, 10)),
        (1, 1, slice(0, 1)),
    ],
)
def test_crop_is_about_the_centre(side, crop, expected):
    assert stamps.central(side, crop) == expected


def test_centre_of_an_odd_crop_is_the_centre_of_the_stamp():
    for crop in range(1, 64, 2):
        assert (stamps.central(63, crop).start + stamps.central(63, crop).stop - 1) / 2 == 31


@pytest.mark.parametrize("crop", [0, -1, 64])
def test_crop_that_does_not_fit_is_refused(crop):
    with pytest.raises(ValueError, match="from 1 to 63 pixels"):
        stamps.central(63, crop)


def alert(**cutouts):
    record = making.record()
    for name, data in cutouts.items():
        record[f"cutout{name.capitalize()}"] = {"fileName": "", "stampData": data}
    return surveys.read(record, "ztf.alert")


def test_triplet_has_science_template_and_difference_as_channels():
    images = [making.image(seed) for seed in (1, 2, 3)]
    science, template, difference = map(stamps.encode, images)

    triplet = stamps.triplet(alert(science=science, template=template, difference=difference), 63)

    assert triplet.shape == (63, 63, 3)
    assert all(same_bits(np.ascontiguousarray(triplet[:, :, i]), image) for i, image in enumerate(images))


@pytest.mark.parametrize("crop", [21, 32, 63])
def test_cropped_triplet_is_the_middle_of_the_whole(crop):
    keep = stamps.central(63, crop)

    assert np.array_equal(stamps.triplet(alert(), 63, crop), stamps.triplet(alert(), 63)[keep, keep])


def test_triplet_writes_where_it_is_told():
    batch = np.zeros((2, 21, 21, 3), np.float32)

    stamps.triplet(alert(), 63, 21, out=batch[1])

    assert np.array_equal(batch[1], stamps.triplet(alert(), 63, 21))
    assert not batch[0].any()


@pytest.mark.parametrize("band", ["science", "template", "difference"])
@pytest.mark.parametrize("shape", [(62, 63), (63, 62), (30, 63), (64, 64)], ids=str)
def test_stamp_of_another_shape_is_rejected_by_its_name(band, shape):
    with pytest.raises(Reject, match=band) as caught:
        stamps.triplet(alert(**{band: stamps.encode(making.image(0, shape))}), 63)

    assert caught.value.reason is Reason.WRONG_SHAPE


def test_fault_of_a_cutout_names_its_band():
    with pytest.raises(Reject, match="template: ") as caught:
        stamps.triplet(alert(template=b"not an image"), 63)

    assert caught.value.reason is Reason.NOT_GZIP


def test_several_gzip_members_are_one_file():
    plain = primary(PIXELS)

    assert same_bits(stamps.decode(gzip.compress(plain[:5000]) + gzip.compress(plain[5000:])), PIXELS)


def test_bytes_after_the_gzip_data_are_padding():
    assert same_bits(stamps.decode(GOOD + bytes(7)), PIXELS)


def test_bomb_of_many_members_is_too_large():
    with pytest.raises(Reject) as caught:
        stamps.decode(gzip.compress(bytes(500_000)) * 1000)

    assert caught.value.reason is Reason.TOO_LARGE


def test_zlib_stream_is_not_gzip():
    with pytest.raises(Reject) as caught:
        stamps.decode(zlib.compress(primary(PIXELS)))

    assert caught.value.reason is Reason.NOT_GZIP
