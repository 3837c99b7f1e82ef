"""Images that look alike are found by index, exactly those that a comparison with every image finds."""

import random

import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.similar import near
from medtheca.toolkit.images.hashes import hamming_distance

pytestmark = pytest.mark.django_db

MOST, LEAST = 2**63 - 1, -(2**63)


def signed(number):
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number):
    return number % (1 << 64)


def make(hashes):
    return Image.objects.bulk_create(
        [
            Image(
                format="jpeg",
                media_type="image/jpeg",
                width=4,
                height=3,
                colour_space="sRGB",
                bits=8,
                channels=3,
                pixel_hash=f"{at:064x}",
                perceptual_hash=one,
            )
            for at, one in enumerate(hashes)
        ]
    )


@pytest.mark.parametrize("centre", [0, -1, MOST, LEAST, 0x1234_5678_9ABC_DEF0])
def test_it_finds_what_comparing_with_every_image_finds(centre):
    chance = random.Random(centre)
    hashes = [chance.getrandbits(64) for _ in range(200)]
    hashes += [
        unsigned(centre) ^ sum(1 << bit for bit in chance.sample(range(64), bits))
        for bits in range(14)
        for _ in range(12)
    ]
    # Three differing bits in a quarter, and none elsewhere: another quarter must find it.
    hashes += [unsigned(centre) ^ (0b111 << shift) for shift in (0, 16, 32, 48)]
    images = make([signed(one) for one in hashes])

    for within in (0, 3, 10, 11):
        wanted = {
            image.pk: hamming_distance(unsigned(image.perceptual_hash), unsigned(centre))
            for image in images
            if hamming_distance(unsigned(image.perceptual_hash), unsigned(centre)) <= within
        }
        found = dict(near(Image.objects.all(), centre, within=within).values_list("pk", "distance"))
        assert found == wanted


def test_the_nearest_come_first():
    make([0b1111, 0b1, 0b111, 0])

    assert list(near(Image.objects.all(), 0).values_list("distance", flat=True)) == [0, 1, 3, 4]


def test_the_indexes_are_those_that_the_question_needs(django_assert_num_queries):
    make([signed(random.Random(at).getrandbits(64)) for at in range(3000)])
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE imaging_image")
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = near(Image.objects.all(), 5).explain()

    assert all(f"image_hash_{shift}" in plan for shift in (0, 16, 32, 48)), plan


def test_more_than_the_index_can_answer_is_refused():
    with pytest.raises(ValueError, match="11 bits"):
        near(Image.objects.all(), 0, within=12)
