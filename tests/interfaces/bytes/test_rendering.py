"""Parts of pictures on the real web process: what happens to children in the middle of one is not seen outside."""

import io
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image as Picture

from benchmarks.processes import kind, memory_mb, tree
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.storage.queries import blob_store
from tests.factories.cases import draw_slide, make_slide
from tests.toolkit.sandbox.common import has_gone, wait_until

MOST_CHILDREN = 6


def part(world, image, words="10,10,300,200/150,/0/default.png", **rest):
    return world.request("GET", f"/iiif/{image.public_id}/{words}", **rest)


def decoders(world):
    """The fork server, and its children."""
    found = [pid for pid in tree(world.process.pid) if kind(pid) == "decoders"]
    return found[:1], found[1:]


@pytest.fixture
def slide(world, cases, tmp_path):
    return make_slide(cases.cohort, tmp_path, draw_slide(900, 700, seed=11), visibility="public")


def test_children_killed_while_they_wait_are_not_missed(world, slide):
    first = part(world, slide)
    assert first.status == 200
    for pid in decoders(world)[1]:
        os.kill(pid, signal.SIGKILL)
    assert part(world, slide).content == first.content


def test_a_child_killed_in_the_middle_is_not_missed(world, slide):
    expected = part(world, slide).content
    stopped = decoders(world)[1]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(part, world, slide)
        time.sleep(0.5)
        assert not asking.done()
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        assert asking.result().content == expected
    assert not set(stopped) & set(decoders(world)[1])


def test_a_killed_fork_server_is_replaced(world, slide):
    expected = part(world, slide).content
    (server,), children = decoders(world)
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: all(map(has_gone, children)))
    assert part(world, slide).content == expected
    assert decoders(world)[0] != [server]


def test_what_is_gone_is_not_shown_from_memory(world, slide):
    assert part(world, slide).status == 200
    place = blob_store().path(ImageFile.objects.get(image=slide, kind=FileKind.PUBLIC).blob.sha256)
    data = place.read_bytes()
    place.unlink()
    assert part(world, slide).status == 503
    place.write_bytes(data)
    assert part(world, slide).status == 200


def test_a_withdrawal_closes_what_a_child_still_has(world, slide):
    assert part(world, slide).status == 200
    set_visibility(image_ids=[slide.pk], visibility="private")
    wait_until(lambda: part(world, slide).status == 404, seconds=20)
    assert decoders(world)[1]


def test_many_images_do_not_make_many_children(world, cases, tmp_path):
    drawn = [draw_slide(600, 500 + n, seed=n) for n in range(MOST_CHILDREN + 4)]
    slides = [make_slide(cases.cohort, tmp_path, pixels, visibility="public") for pixels in drawn]
    seen = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            for made, pixels in zip(pool.map(lambda image: part(world, image), slides), drawn, strict=True):
                assert made.status == 200
                shown = np.asarray(Picture.open(io.BytesIO(made.content)), float)
                expected = Picture.fromarray(pixels[10:210, 10:310]).resize((150, 100), Picture.Resampling.BOX)
                # Each its own: neighbours differ in their squares.
                assert np.abs(shown - np.asarray(expected, float)).mean() < 12
                seen.append(len(decoders(world)[1]))
    # Those that are on their way in or out may be seen beside.
    assert max(seen) <= MOST_CHILDREN + 2
    assert memory_mb(world.process.pid)["decoders"] < 200


def test_an_address_waits_for_its_own_pictures_only_so_long(world, slide):
    """More than half of the waiting room is not for one: the rest gets 503 and is told when to come again."""
    heavy = [f"{n},{n},600,500/^2000,/0/default.jpg" for n in range(1, 150)]
    with ThreadPoolExecutor(len(heavy)) as pool:
        answers = list(pool.map(lambda words: part(world, slide, words), heavy))
    assert {answer.status for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status == 503]
    assert all(answer.headers["Retry-After"] == "2" for answer in refused)
    assert part(world, slide).status == 200
