"""The verdict on each file before anything is uploaded."""

import pytest

from medtheca.toolkit.images.embedded import name_exif
from medtheca.toolkit.inspection import Bounds, Container, Outcome, TooMuch, inspect_files
from medtheca.toolkit.sandbox import DecoderPool
from tests.factories.provenance import make_zip
from tests.generators import images, zips

_UNBOUND = Bounds()


@pytest.fixture(scope="module")
def pool():
    tasks = "medtheca.toolkit.images.tasks:run", "medtheca.toolkit.images.case_task:run"
    with DecoderPool(tasks[0], case_task=tasks[1], size=2) as made:
        yield made


@pytest.fixture
def inspect(pool, tmp_path):
    def run(*files, bounds=_UNBOUND, packed=False):
        containers = []
        for number, (name, content) in enumerate(files):
            path = tmp_path / f"given-{number}"
            path.write_bytes(content)
            containers.append(Container(name, path, packed))
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        report = inspect_files(containers, pool=pool, scratch=scratch, bounds=bounds)
        assert not list(scratch.iterdir())
        return report

    return run


def outcomes(report):
    return {verdict.path: (verdict.outcome, verdict.code) for verdict in report.verdicts}


def test_every_kind_of_verdict(inspect):
    first, second = images.jpeg(seed=1), images.jpeg(seed=2)
    with_comment = images.insert(first, images.comment_segment())
    content = make_zip(
        [
            ("a/1.jpg", first),
            ("b/1.jpg", second),
            ("b/2.jpg", first),
            ("c/1.jpg", first),
            ("3.jpg", with_comment),
            ("notes.txt", b"hello"),
            (".DS_Store", b"x"),
            ("cut.jpg", second[:-60]),
        ]
    )
    report = inspect(("set.zip", content))
    assert outcomes(report) == {
        "a/1.jpg": ("accepted", "accepted"),
        "b/1.jpg": ("duplicate", "duplicate_name"),
        "b/2.jpg": ("linked", "same_content"),
        "c/1.jpg": ("linked", "already_here"),
        "3.jpg": ("accepted", "same_pixels"),
        "notes.txt": ("refused", "unsupported_format"),
        ".DS_Store": ("skipped", "macos_metadata"),
        "cut.jpg": ("refused", "truncated"),
    }
    by_path = {verdict.path: verdict for verdict in report.verdicts}
    assert (by_path["a/1.jpg"].format, by_path["a/1.jpg"].width, by_path["a/1.jpg"].height) == ("jpeg", 83, 61)
    assert by_path["3.jpg"].removed == ("comment",)
    assert by_path["3.jpg"].alike == ("a/1.jpg", "b/2.jpg")
    assert by_path["b/2.jpg"].alike == ("3.jpg",)
    assert by_path["b/1.jpg"].remedy == "Rename one of them and upload it again."
    assert report.counts() == {"accepted": 2, "linked": 2, "duplicate": 1, "skipped": 1, "refused": 2}


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_what_exif_tells_is_named_and_its_values_are_not(inspect, kind):
    png, jpeg = next(iter(images.pngs().values()))[0], images.jpeg()
    with_exif = {
        "jpeg": images.insert(jpeg, images.exif_segment(6)),
        "png": images.with_chunks(png, images.exif_chunk()),
    }
    content = with_exif[kind]
    (verdict,) = inspect((f"a.{kind}", content)).verdicts
    assert verdict.outcome is Outcome.ACCEPTED
    assert set(verdict.exif) == {"camera", "maker's note", "name of a person", "position (GPS)"}
    assert images.CANARY not in repr(verdict)
    assert "exif" in verdict.removed


def test_a_plain_orientation_tells_nothing():
    assert name_exif(images.insert(images.jpeg(), images.segment(0xE1, b"Exif\x00\x00" + b"II*\x00")), "jpeg") == []
    assert name_exif(images.jpeg(), "jpeg") == []


def test_a_zip_that_is_none_is_refused_and_the_others_go_on(inspect):
    report = inspect(("bad.zip", make_zip([("a.jpg", b"x")])[:-30]), ("b.jpg", images.jpeg()))
    assert list(report.refused) == ["bad.zip"]
    assert outcomes(report) == {"b.jpg": ("accepted", "accepted")}


def test_files_given_by_themselves_and_files_of_a_folder(inspect):
    content = images.jpeg()
    alone = inspect((".hidden.jpg", content), ("empty.jpg", b""))
    assert outcomes(alone) == {".hidden.jpg": ("accepted", "accepted"), "empty.jpg": ("refused", "empty_file")}
    packed = inspect((".hidden.jpg", content), ("empty.jpg", b""), packed=True)
    assert outcomes(packed) == {".hidden.jpg": ("skipped", "hidden_file"), "empty.jpg": ("skipped", "empty_file")}


def test_more_than_the_bounds_is_refused_before_anything_is_decoded(inspect):
    many = zips.many(12)
    assert len(inspect(("a.zip", many), bounds=Bounds(files=12)).verdicts) == 12
    with pytest.raises(TooMuch, match="more than 11 files"):
        inspect(("a.zip", many), bounds=Bounds(files=11))
    with pytest.raises(TooMuch, match="100 bytes when unpacked"):
        inspect(("a.zip", make_zip([("a.jpg", b"x" * 101)])), bounds=Bounds(unpacked_bytes=100))
