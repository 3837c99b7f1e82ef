"""The libraries that read cases work behind the fence, and give what they give without it."""

import shutil

import pytest
import tifffile

from medtheca.toolkit.sandbox import CaseLimits, DecoderPool
from tests.samples import needs_samples, sample_dir
from tests.toolkit.sandbox import case_libraries
from tests.toolkit.sandbox.common import PROBE

# What came with a slide: all that lies beside it is linked too, as the caller would.
CASES = {
    "svs": ("openslide", "svs", "CMU-1-Small-Region.svs", []),
    "mrxs": ("openslide", "wsi_synth", "synth.mrxs", ["synth"]),
    "vms": (
        "openslide",
        "wsi_synth",
        "synth.vms",
        ["synth.jpg", "synth(1,0).jpg", "synth_macro.jpg", "synth_map2.jpg", "synth.opt"],
    ),
    "ndpi": ("openslide", "wsi_synth", "synth.ndpi", []),
    "scn": ("openslide", "wsi_synth", "synth.scn", []),
    "bif": ("openslide", "wsi_synth", "synth.bif", []),
    "tiff": ("tifffile", "svs", "CMU-1-Small-Region.svs", []),
    "dicom": ("pydicom", "dcm", "CT_small.dcm", []),
    "dicom, JPEG 2000": ("pydicom", "dcm", "JPEG2000.dcm", []),
    "dicom, JPEG": ("pydicom", "dcm", "SC_rgb_jpeg_dcmtk.dcm", []),
    "dicom series": ("series", "dcm/n2d_t1", "", []),
    "nifti": ("nibabel", "nii", "anatomical.nii", []),
    "jpeg": ("imagecodecs", "jpg", "test_rgb.jpg", []),
}


@pytest.fixture(scope="module")
def libraries(pool):
    task = "tests.toolkit.sandbox.case_libraries:run"
    with DecoderPool(PROBE, case_task=task) as made:
        yield made


def lay_out(folder, place, name, others):
    """The files of a case in a folder of its own, of the modes that a child of root needs."""
    source = sample_dir() / place
    folder.mkdir(mode=0o755)
    for each in [name, *others] if name else [path.name for path in source.iterdir()]:
        copy = shutil.copytree if (source / each).is_dir() else shutil.copyfile
        copy(source / each, folder / each)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    return folder


@needs_samples
@pytest.mark.parametrize("kind", CASES)
def test_library_reads_behind_the_fence_what_it_reads_without(libraries, tmp_path, kind):
    library, place, name, others = CASES[kind]
    folder = lay_out(tmp_path / "case", place, name, others)
    options = {"library": library, "name": name}
    outcome = libraries.run_case(options, folder=folder, limits=CaseLimits(threads=kind == "vms"))
    assert outcome.refusal is None, outcome.refusal
    assert outcome.report == case_libraries.run(folder, {}, options, print)


@needs_samples
def test_a_pyramid_is_written_straight_into_an_output(libraries, tmp_path):
    folder = lay_out(tmp_path / "case", "svs", "CMU-1-Small-Region.svs", [])
    options = {"library": "tifffile", "name": "CMU-1-Small-Region.svs"}
    outcome = libraries.run_case(options, folder=folder, outputs={"pyramid": tmp_path / "pyramid.tif"})
    assert outcome.refusal is None, outcome.refusal
    with tifffile.TiffFile(tmp_path / "pyramid.tif") as tiff:
        assert tiff.is_bigtiff
        assert [page.shape for page in tiff.pages] == [(2967, 2220, 3), (1484, 1110, 3)]
        assert float(tiff.pages[0].asarray().astype("f8").sum()) == outcome.report["sum"]
    assert outcome.sizes["pyramid"] == (tmp_path / "pyramid.tif").stat().st_size


@needs_samples
def test_a_pyramid_that_grows_too_large_is_refused(libraries, tmp_path):
    folder = lay_out(tmp_path / "case", "svs", "CMU-1-Small-Region.svs", [])
    options = {"library": "tifffile", "name": "CMU-1-Small-Region.svs"}
    outcome = libraries.run_case(
        options,
        folder=folder,
        outputs={"pyramid": tmp_path / "pyramid.tif"},
        limits=CaseLimits(output_bytes=5_000_000),
    )
    assert outcome.refusal.code == "decoder_output"
    assert outcome.sizes["pyramid"] <= 5_000_000


@needs_samples
def test_a_slide_whose_files_are_linked_to_outside_is_refused(libraries, tmp_path):
    folder = lay_out(tmp_path / "case", "wsi_synth", "synth.mrxs", [])
    outside = lay_out(tmp_path / "outside", "wsi_synth", "synth.mrxs", ["synth"])
    (folder / "synth").symlink_to(outside / "synth")
    outcome = libraries.run_case({"library": "openslide", "name": "synth.mrxs"}, folder=folder)
    assert outcome.refusal.code == "decoder_error"
