"""Groups of near-duplicates follow the images, and are those that comparing everything with everything gives."""

import random

import numpy as np
import pytest
from django.db import connection

from medtheca.base.errors import Conflict
from medtheca.domains.imaging import near_duplicates
from medtheca.domains.imaging.models import Image, NearDuplicate, NearDuplicateDue
from medtheca.domains.imaging.near_duplicates import find_differences, group_due, group_everything, status
from medtheca.toolkit.images.alike import count_near, groups_of
from tests.domains.imaging.test_similar import make, signed

pytestmark = pytest.mark.django_db


def slow_groups(images):
    """By comparing each with each: frozensets of keys, of two or more."""
    left, found = {image.pk: image for image in images}, set()
    while left:
        _, one = left.popitem()
        group, todo = {one.pk}, [one]
        while todo:
            one = todo.pop()
            near = [other for other in left.values() if are_alike(one, other)]
            todo += near
            group |= {other.pk for other in near}
            for other in near:
                del left[other.pk]
        if len(group) > 1:
            found.add(frozenset(group))
    return found


def are_alike(one, other):
    if one.pixel_hash == other.pixel_hash:
        return True
    if "document" in {one.kind, other.kind} or not one.perceptual_hash or not other.perceptual_hash:
        return False
    return ((one.perceptual_hash ^ other.perceptual_hash) % (1 << 64)).bit_count() <= 6


def kept():
    groups = {}
    for image, group in NearDuplicate.objects.values_list("image", "group"):
        groups.setdefault(group, set()).add(image)
    return {frozenset(group) for group in groups.values()}


def some_hashes(chance, number):
    """Chains of steps, equal ones, plain ones and ones like nothing."""
    hashes = [chance.getrandbits(64) for _ in range(number // 3)]
    while len(hashes) < number:
        bits = chance.sample(range(64), chance.randint(0, 8))
        hashes.append(chance.choice(hashes) ^ sum(1 << bit for bit in bits))
    hashes[:: max(1, number // 3)] = [0] * len(hashes[:: max(1, number // 3)])
    return [signed(one) for one in hashes]


@pytest.mark.parametrize("seed", range(6))
def test_groups_are_those_of_comparing_each_with_each(seed):
    chance = random.Random(seed)
    images = make(some_hashes(chance, 120))
    for image in chance.sample(images, 12):
        image.pixel_hash = "ab" * 32 if chance.random() < 0.5 else "cd" * 32
        image.kind = chance.choice(["picture", "document"])
        image.save()

    assert group_due() >= 120

    assert kept() == slow_groups(Image.objects.all())
    assert find_differences() == []
    assert NearDuplicateDue.objects.count() == 0


def test_groups_follow_whatever_happens_to_images():
    chance = random.Random(7)
    make(some_hashes(chance, 60))
    group_due()
    for _ in range(25):
        ids = list(Image.objects.values_list("pk", flat=True))
        match chance.randint(0, 3):
            case 0:
                make(some_hashes(chance, 3))
            case 1:
                Image.objects.filter(pk__in=chance.sample(ids, 2)).delete()
            case 2:
                Image.objects.filter(pk=chance.choice(ids)).update(pixel_hash="ef" * 32)
            case 3:
                other = Image.objects.get(pk=chance.choice(ids)).perceptual_hash
                Image.objects.filter(pk=chance.choice(ids)).update(perceptual_hash=other ^ 0b111)
        group_due()
        assert kept() == slow_groups(Image.objects.all())
    assert find_differences() == []


def test_a_link_that_goes_leaves_two_groups():
    first, link, last = make([0b1, 0b111_1111, 0b1_1111_1111_1111])
    group_due()
    assert kept() == {frozenset({first.pk, link.pk, last.pk})}
    link.delete()
    group_due()
    assert kept() == set()


def test_one_image_is_compared_with_few(django_assert_max_num_queries):
    make([signed(random.Random(at).getrandbits(64)) for at in range(300)])
    group_due()
    make([signed(random.Random(7).getrandbits(64)) ^ 0b11])
    with django_assert_max_num_queries(25):
        assert group_due() == 1
    assert len(kept()) == 1


def test_steps_of_a_review_make_nothing_due():
    (image,) = make([5])
    group_due()
    Image.objects.filter(pk=image.pk).update(text_suspected="Perhaps.")
    assert NearDuplicateDue.objects.count() == 0


def test_many_that_are_due_are_grouped_all_at_once(monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST_DUE", 5)
    images = make([0b11, 0b1, *(signed(random.Random(at).getrandbits(64)) for at in range(8))])
    assert group_due() == 10
    assert kept() == {frozenset({images[0].pk, images[1].pk})}
    assert (status().groups, status().images, status().due) == (1, 2, 0)


def test_a_planted_difference_is_found_and_mended():
    one, other, alone = make([0b11, 0b1, -2])
    group_due()
    NearDuplicate.objects.filter(image=one.pk).update(group=alone.pk)
    NearDuplicate.objects.create(image_id=alone.pk, group=alone.pk)
    assert set(find_differences()) & {one.pk, other.pk, alone.pk}
    assert group_everything() == 3
    assert (find_differences(), kept()) == ([], {frozenset({one.pk, other.pk})})


def test_one_at_a_time_makes_groups():
    import psycopg

    make([1, 1])
    settings = connection.settings_dict
    parameters = {name: settings[name.upper()] for name in ("user", "password", "host", "port")}
    with psycopg.connect(dbname=settings["NAME"], **parameters) as somebody:
        somebody.execute("SELECT pg_advisory_lock(%s)", [near_duplicates._LOCK])
        assert group_due() == 0
        with pytest.raises(Conflict):
            group_everything()
        # Closing alone would free it at some later moment, when the server has noticed.
        somebody.execute("SELECT pg_advisory_unlock(%s)", [near_duplicates._LOCK])
    assert group_due() == 2


def test_numbers_are_those_of_comparing_each_with_each():
    chance = np.random.default_rng(3)
    groups = np.sort(chance.integers(0, 9, 60))
    hashes = chance.integers(0, 2, 60) * (1 << chance.integers(0, 5, 60))
    pixels = chance.integers(0, 30, 60)
    near, same = count_near(groups, hashes, pixels)
    for at in range(60):
        others = [n for n in range(60) if n != at and groups[n] == groups[at]]
        equal = {n for n in others if pixels[n] == pixels[at]}
        alike = {n for n in others if hashes[n] and hashes[at] and int(hashes[n] ^ hashes[at]).bit_count() <= 6}
        assert (near[at], same[at]) == (len(equal | alike), len(equal))


def test_nothing_has_no_groups():
    nothing = np.zeros(0, np.int64)
    assert groups_of(nothing, nothing).tolist() == []
    assert group_due() == 0
    assert group_everything() == 0
