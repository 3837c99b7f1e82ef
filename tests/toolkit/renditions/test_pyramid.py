"""Pyramids: what independent readers find in them, how large they get, and how little memory they take."""

import io
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import openslide
import pytest
import SimpleITK
import tifffile
from PIL import Image

from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.picture_slide import PictureSlide, volume_as_slide
from medtheca.toolkit.images.readers.tiff import TiffReader
from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions.pyramid import halve, write
from tests.generators import slides as make
from tests.samples import needs_samples, sample_dir


def make_pyramid(path, slide, **options):
    with path.open("wb") as file:
        return write(slide, file, **options)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (255, 256), (257, 513), (1300, 900), (1024, 33)])
def test_every_reader_finds_the_levels_and_the_picture(tmp_path, width, height):
    picture = make.tissue(width, height)
    path = tmp_path / "p.tif"
    made = make_pyramid(path, PictureSlide(picture, (0.25, 0.5)))
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        shown = [page.asarray() for page in file.pages]
    # The most that JPEG of this quality with colour at half resolution takes away, on average.
    assert np.abs(shown[0].astype(int) - picture).mean() < 4
    for finer, coarser in pairwise(shown):
        # Small levels are all edges.
        assert np.abs(halve(finer).astype(int) - coarser).mean() < 10
    with openslide.OpenSlide(path) as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.25)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(0.5)
        assert slide.level_dimensions == tuple((level.shape[1], level.shape[0]) for level in shown)
        assert np.array_equal(np.asarray(slide.read_region((0, 0), 0, (width, height)).convert("RGB")), shown[0])
    with Image.open(path) as pillow:
        assert pillow.size == (width, height)
        assert np.abs(np.asarray(pillow.convert("RGB")).astype(int) - shown[0]).max() <= 2
    assert [(level.width, level.height) for level in made.index.levels][-1] == (1, 1)
    assert max(made.overview(100).size) <= 100


def test_simpleitk_reads_it_with_the_spacing(tmp_path):
    make_pyramid(tmp_path / "p.tif", PictureSlide(make.tissue(300, 200), (0.5, 0.5)))
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(tmp_path / "p.tif"))
    reader.ReadImageInformation()
    assert reader.GetSize()[:2] == (300, 200)
    assert reader.GetSpacing()[:2] == pytest.approx((0.0005, 0.0005))


def test_nothing_but_what_pixels_need_is_written(tmp_path):
    make_pyramid(tmp_path / "p.tif", PictureSlide(make.tissue(300, 200), (0.5, 0.5)))
    with tifffile.TiffFile(tmp_path / "p.tif") as file:
        tags = {tag.code for page in file.pages for tag in page.tags}
    needed = {254, 256, 257, 258, 259, 262, 277, 282, 283, 284, 296, 322, 323, 324, 325, 530, 65100}
    assert tags == needed


def test_background_is_stored_once(tmp_path):
    white = np.full((4096, 4096, 3), 255, np.uint8)
    made = make_pyramid(tmp_path / "p.tif", PictureSlide(white))
    assert len(set(made.index.levels[0].offsets)) == 1
    assert (tmp_path / "p.tif").stat().st_size < 30_000


def test_edges_neither_darken_nor_bleed(tmp_path):
    white = np.full((300, 300, 3), 255, np.uint8)
    make_pyramid(tmp_path / "p.tif", PictureSlide(white))
    with tifffile.TiffFile(tmp_path / "p.tif") as file:
        assert all((page.asarray() == 255).all() for page in file.pages)


def test_progress_ends_at_one_and_the_hash_is_that_of_the_pixels(tmp_path):
    told = []
    picture = make.tissue(600, 700)
    one = make_pyramid(tmp_path / "p.tif", PictureSlide(picture), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert one.pixel_hash == make_pyramid(tmp_path / "q.tif", PictureSlide(picture.copy())).pixel_hash
    picture[5, 5] += 1
    assert one.pixel_hash != make_pyramid(tmp_path / "q.tif", PictureSlide(picture)).pixel_hash


def test_tiles_of_a_rare_sampling_are_made_anew(tmp_path):
    picture = make.tissue(256, 256)
    tags, _ = make.page(picture)
    coded = [bytearray(tile) for tile in make.tiles_of(picture)]
    for tile in coded:
        at = tile.index(b"\xff\xc0")
        tile[at + 14] = tile[at + 17] = 0x21
        tile[at + 11] = 0x41
    (tmp_path / "a.tif").write_bytes(make.tiff([(tags, [bytes(tile) for tile in coded])]))

    class Rare(PictureSlide):
        @property
        def jpeg_tiles(self):
            slide = TiffReader()
            content = slide.read(Files(tmp_path, ("b.tif",)), memory=10**9)
            tiles = content.jpeg_tiles
            source = type("Source", (), {"at": lambda _, index: bytes(coded[index])})()
            return type(tiles)(64, 64, tiles.count, True, source)

    (tmp_path / "b.tif").write_bytes(make.generic(picture))
    made = make_pyramid(tmp_path / "p.tif", Rare(picture))
    assert not made.copied
    assert np.abs(tifffile.imread(tmp_path / "p.tif", key=0).astype(int) - picture).mean() < 4


def test_large_picture_of_a_volume_is_shown_from_lowest_to_highest(tmp_path):
    values = np.linspace(-1000, 3000, 300 * 400).reshape(1, 1, 300, 400).astype(np.int16)
    slide = volume_as_slide(Volume(values, Geometry(spacing=(0.1, 0.2, 1.0)), facts=Facts(inverted=True)))
    assert slide.microns_per_pixel == pytest.approx((100, 200))
    shown = slide.region(0, 0, 0, 400, 300)
    assert (shown[0, 0] == 255).all()
    assert (shown[-1, -1] == 0).all()
    make_pyramid(tmp_path / "p.tif", slide)
    assert np.abs(tifffile.imread(tmp_path / "p.tif", key=0).astype(int) - shown).max() < 12


@needs_samples
def test_real_slide_is_copied_and_hardly_larger(tmp_path):
    source = sample_dir() / "svs" / "CMU-1-Small-Region.svs"
    slide = TiffReader().read(Files(source.parent, (source.name,)), memory=10**9)
    made = make_pyramid(tmp_path / "p.tif", slide)
    assert made.copied
    with openslide.OpenSlide(source) as before, openslide.OpenSlide(tmp_path / "p.tif") as after:
        assert after.dimensions == before.dimensions
        assert float(after.properties["openslide.mpp-x"]) == pytest.approx(0.499)
        assert after.read_region((0, 0), 0, after.dimensions).tobytes() == (
            before.read_region((0, 0), 0, before.dimensions).tobytes()
        )
    assert (tmp_path / "p.tif").stat().st_size < 1.5 * source.stat().st_size


def test_memory_does_not_grow_with_the_slide(tmp_path):
    """In a process of its own, so that only its own memory counts: 200 million pixels, 600 MB unpacked."""
    program = """
        import resource, sys
        import numpy as np
        from medtheca.toolkit.images.facts import Facts
        from medtheca.toolkit.images.slide import Level
        from medtheca.toolkit.renditions.pyramid import write

        class Large:
            levels, facts, microns_per_pixel, jpeg_tiles = (Level(20000, 10000, 1.0),), Facts(), None, None
            def region(self, level, x, y, width, height):
                rows = np.arange(y, y + height)[:, None] // 7 + np.arange(x, x + width)[None] // 5
                return np.repeat((rows % 200).astype(np.uint8)[:, :, None], 3, axis=2)

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with open(sys.argv[1], "wb") as file:
            write(Large(), file)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "p.tif")]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(done.stdout) < 100_000  # kB


def test_halving_takes_means():
    assert halve(np.array([[[0], [1], [9]], [[2], [3], [9]], [[5], [5], [7]]], np.uint8)).tolist() == [
        [[2], [9]],
        [[5], [7]],
    ]


def test_output_need_not_be_a_file_of_the_system():
    output = io.BytesIO()
    write(PictureSlide(make.tissue(300, 200)), output)
    assert tifffile.imread(io.BytesIO(output.getvalue()), key=0).shape == (200, 300, 3)
