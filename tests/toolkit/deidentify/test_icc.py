"""Colour profiles: their numbers stay, words of their own do not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from medtheca.toolkit.deidentify.icc import clean_profile, find_profile
from medtheca.toolkit.deidentify.jpeg import strip_jpeg
from medtheca.toolkit.deidentify.png import strip_png
from medtheca.toolkit.renditions.colour import describe_profile
from tests.generators import images as make

WORDS = "Mary Canary X"


def named(words=WORDS):
    """sRGB with another description, of the same length."""
    known = "sRGB built-in"
    return make.srgb_profile().replace(known.encode("utf-16-be"), words.encode("utf-16-be"))


def shown(profile):
    picture = Image.fromarray(make.draw())
    srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(picture, srgb, ImageCms.createProfile("sRGB"), outputMode="RGB"))


def test_a_widespread_profile_stays_bit_for_bit():
    profile = make.srgb_profile()
    assert clean_profile(profile) is profile


def test_words_of_its_own_are_taken_out_and_every_colour_stays():
    profile = named()
    assert WORDS in describe_profile(profile)
    clean = clean_profile(profile)
    assert WORDS.encode("utf-16-be") not in clean
    assert len(clean) == len(profile)
    assert describe_profile(clean) == "unnamed"
    np.testing.assert_array_equal(shown(clean), shown(make.srgb_profile()))
    assert clean_profile(clean) is clean


def test_a_printers_profile_keeps_its_table():
    clean = clean_profile(make.cmyk_profile())
    assert b"inks" not in clean
    ours, theirs = (ImageCms.ImageCmsProfile(io.BytesIO(profile)) for profile in (clean, make.cmyk_profile()))
    picture = Image.fromarray(make.draw()).convert("CMYK")
    srgb = ImageCms.createProfile("sRGB")
    one, other = (ImageCms.profileToProfile(picture, profile, srgb, outputMode="RGB") for profile in (ours, theirs))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("place", [100, -1])
def test_what_no_tag_owns_is_zero(place):
    profile = bytearray(make.srgb_profile() + bytes(40))
    profile[:4] = len(profile).to_bytes(4, "big")
    profile[place : place + 11 if place > 0 else None] = b"Mary Canary" if place > 0 else b"M"
    clean = clean_profile(bytes(profile))
    assert b"Mary" not in clean
    assert clean[-1] == 0


@pytest.mark.parametrize(
    ("at", "value"), [(128, b"\xff\xff\xff\xff"), (136, b"\xff\xff\xff\x00"), (140, b"\xff\xff\xff\x00")]
)
def test_a_damaged_table_of_tags_is_no_profile(at, value):
    profile = bytearray(make.srgb_profile())
    profile[at : at + 4] = value
    assert find_profile(bytes(profile)) is not None
    assert clean_profile(bytes(profile)) is None


def test_pictures_go_with_the_clean_profile():
    clean = clean_profile(named())
    jpeg = strip_jpeg(make.insert(make.jpeg(), *make.icc_chunks(named())))
    png = strip_png(make.with_chunks(make.write_png(make.draw()), make.profile_chunk(named())))
    assert jpeg.icc == png.icc == clean
    assert WORDS.encode("utf-16-be") not in jpeg.data
    with Image.open(io.BytesIO(jpeg.data)) as one, Image.open(io.BytesIO(png.data)) as two:
        assert one.info["icc_profile"] == two.info["icc_profile"] == clean
