"""Every sample file goes in by upload and by `medtheca inspect`, and ends as an image or as a refusal that is right.

Each folder of samples is one upload. The challenges of `isic2017` are tested elsewhere.
"""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter

import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import HeldFile, Verdict
from tests.factories.provenance import deliver, run_jobs
from tests.samples import needs_samples, sample_dir

UM = 0.001
# Of each image: kind, voxels or pixels along x, y and z, time points, channels, mm along x, y and z, files.
ONE = (1.0, 1.0, 1.0)
IMAGES = {
    "archive": {},
    "dcm": {
        "CTImage.dcm": ("volume", (512, 512, 1), 1, 1, (0.675781, 0.675781, 5), 1),
        "CT_small.dcm": ("volume", (128, 128, 1), 1, 1, (0.661468, 0.661468, 5), 1),
        "JPEG2000.dcm": ("volume", (256, 1024, 1), 1, 1, (2.26, 2.26, 1), 1),
        "MR_small.dcm": ("volume", (64, 64, 1), 1, 1, (0.3125, 0.3125, 0.8), 1),
        "SC_rgb_jpeg_dcmtk.dcm": ("volume", (100, 100, 1), 1, 3, ONE, 1),
        "ct_3slice.dcm": ("volume", (512, 512, 3), 1, 1, (0.810547, 0.810547, 1), 3),
        "cxr.dcm": ("volume", (440, 440, 1), 1, 1, (0.1, 0.1, 1), 1),
        # Wider than high by its header: 1.2012 mm between columns.
        "dx_image.dcm": ("volume", (211, 169, 1), 1, 1, (1.2012, 1.2, 1), 1),
        "examples_overlay.dcm": ("volume", (484, 300, 1), 1, 1, (0.72314, 0.72314, 4), 1),
        # Radial: seven directions, which no grid holds.
        **{
            f"{name}.dcm": ("volume", (16, 16, 1), 1, 1, (0.390625, 0.390625, 1.2), 1)
            for name in (4467, 4528, 4558, 4588, 4618, 4648, 4678)
        },
        "n2d_t1.dcm": ("volume", (274, 384, 100), 1, 1, (0.699988, 0.666667, 0.666667), 100),
        "rtdose.dcm": ("volume", (10, 10, 15), 1, 1, (10, 10, 5), 1),
        "series_4d.dcm": ("volume", (3, 2, 4), 19, 1, (0.43, 0.43, 0.5), 76),
    },
    "dermoscopy": {f"ISIC_000000{n}.jpg": ("picture", (1022, 767, 1), 1, 3, None, 1) for n in range(3)},
    "dicom_wsi": {
        "boxes_0.dcm": ("slide", (16, 16, 1), 1, 3, (0.499 * UM, 0.499 * UM), 2),
        "full_no_bot.dcm": ("slide", (154, 290, 1), 1, 3, (0.1241778, 0.1242353), 1),
        "sm_image.dcm": ("slide", (50, 50, 1), 1, 3, (0.499 * UM, 0.499 * UM), 1),
        "sparse_with_bot.dcm": ("slide", (154, 290, 1), 1, 3, (0.1241778, 0.1242353), 1),
    },
    "e2e": {},
    "fda": {"fda_minimized.fda": ("volume", (512, 650, 1), 1, 1, (0.01171875, 0.0035, 6), 1)},
    "fds": {"fds_minimized.fds": ("volume", (2, 3, 4), 1, 1, (3, 0.0035, 1.5), 1)},
    "jpeg": {"retina.jpeg": ("picture", (1411, 1411, 1), 1, 3, None, 1)},
    "jpg": {
        "test_grayscale.jpg": ("picture", (10, 10, 1), 1, 1, None, 1),
        "test_rgb.jpg": ("picture", (10, 10, 1), 1, 3, None, 1),
    },
    "mha": {
        "image10x10x10.mha": ("volume", (10, 10, 10), 1, 1, ONE, 1),
        "image10x11x12x13.mha": ("volume", (10, 11, 12), 13, 1, (0.429, 0.429, 0.5), 1),
        "image16bit.mha": ("volume", (256, 128, 64), 1, 1, ONE, 1),
        "niivue.mha": ("volume", (64, 64, 37), 1, 1, (3.4375, 3.4375, 3.8), 1),
    },
    "mhd": {
        "anat.mhd": ("volume", (33, 41, 25), 1, 1, (2, 2, 2), 2),
        "image10x10x10.mhd": ("volume", (10, 10, 10), 1, 1, ONE, 2),
        "image10x11x12x13.mhd": ("volume", (10, 11, 12), 13, 1, (0.429, 0.429, 0.5), 2),
        "image128x256RGB.mhd": ("volume", (128, 256, 1), 1, 3, ONE, 2),
        "image3x4.mhd": ("volume", (3, 4, 1), 1, 3, ONE, 2),
        "image5x6x7.mhd": ("volume", (5, 6, 7), 1, 1, ONE, 2),
    },
    "nii": {
        "anatomical.nii": ("volume", (33, 41, 25), 1, 1, (2, 2, 2), 1),
        "functional.nii": ("volume", (17, 21, 3), 20, 1, (4, 4, 8), 1),
        "image10x11x12.nii": ("volume", (10, 11, 12), 1, 1, (1, 2, 3), 1),
    },
    "nii.gz": {
        "FLAIR.nii.gz": ("volume", (124, 160, 140), 1, 1, ONE, 1),
        "avg152T1_LR.nii.gz": ("volume", (91, 109, 91), 1, 1, (2, 2, 2), 1),
        "image10x11x12.nii.gz": ("volume", (10, 11, 12), 1, 1, (1, 2, 3), 1),
    },
    "nrrd": {
        "FLAIR.nrrd": ("volume", (124, 160, 140), 1, 1, ONE, 1),
        "heart_seg.nrrd": ("volume", (512, 512, 3), 1, 1, (0.810547, 0.810547, 1), 1),
        "image10x11x12.nrrd": ("volume", (10, 11, 12), 1, 1, (1, 2, 3), 1),
        "image10x11x12_compressed.nrrd": ("volume", (10, 11, 12), 1, 1, (1, 2, 3), 1),
    },
    "ome-tiff": {"multi-channel-z-series.ome.tif": ("volume", (439, 167, 5), 1, 3, None, 1)},
    "png": {
        "cell.png": ("picture", (550, 660, 1), 1, 1, None, 1),
        "ihc.png": ("picture", (512, 512, 1), 1, 3, None, 1),
        "microaneurysms.png": ("picture", (102, 102, 1), 1, 1, None, 1),
        "phantom.png": ("picture", (400, 400, 1), 1, 3, None, 1),
        "test_grayscale.png": ("picture", (10, 10, 1), 1, 1, None, 1),
        "test_rgb.png": ("picture", (10, 10, 1), 1, 3, None, 1),
    },
    "svs": {
        "CMU-1-Small-Region.svs": ("slide", (2220, 2967, 1), 1, 3, (0.499 * UM, 0.499 * UM), 1),
        "small.svs": ("slide", (16, 16, 1), 1, 3, (0.499 * UM, 0.499 * UM), 1),
    },
    "tiff": {
        "boxes.tiff": ("slide", (300, 250, 1), 1, 3, (25.4 / 72, 25.4 / 72), 1),
        "rgb_geotiff.tiff": ("volume", (256, 256, 1), 1, 3, None, 1),
        "sample.tif": ("volume", (290, 442, 1), 1, 3, (25.4 / 300, 25.4 / 300, 1), 1),
        "valid_tiff.tif": ("slide", (205, 205, 1), 1, 3, (1, 1), 1),
    },
    "wsi_synth": {
        "synth.bif": ("slide", (1024, 1024, 1), 1, 3, (0.465 * UM, 0.465 * UM), 1),
        "synth.mrxs": ("slide", (1024, 1024, 1), 1, 3, (0.5 * UM, 0.5 * UM), 4),
        "synth.ndpi": ("slide", (1024, 1024, 1), 1, 3, (0.5 * UM, 0.5 * UM), 1),
        "synth.scn": ("slide", (1224, 1224, 1), 1, 3, (0.5 * UM, 0.5 * UM), 1),
        "synth.svs": ("slide", (1024, 1024, 1), 1, 3, (0.499 * UM, 0.499 * UM), 1),
        "synth.vms": ("slide", (1024, 1024, 1), 1, 3, (0.5 * UM, 0.5 * UM), 6),
        "synth_generic.tiff": ("slide", (1024, 1024, 1), 1, 3, (0.5 * UM, 0.5 * UM), 1),
        "synth_u.vmu": ("slide", (512, 512, 1), 1, 3, (0.5 * UM, 0.5 * UM), 4),
    },
}
REFUSALS = {
    # The same instance as MR_small.dcm, in another transfer syntax.
    "dcm/MR_small_implicit.dcm": ("refused", "duplicate"),
    # Heidelberg's format is not among those that are read.
    "e2e/e2e_minimized.E2E": ("refused", "unknown_format"),
    "archive/folder-0/file-0.txt": ("skipped", "empty_file"),
    "archive/folder-0/folder-1/file-1.txt": ("refused", "unsupported_format"),
    "archive/folder-0/folder-1/folder-2/file-2.txt": ("refused", "unsupported_format"),
    "archive/folder-0/folder-1/folder-2/folder-3.zip": ("refused", "nested_archive"),
}


def container(folder):
    """The upload of a folder: its own ZIP, or one made of it; and its paths."""
    root = sample_dir() / folder
    if folder == "archive":
        content = (root / "test.zip").read_bytes()
        names = [name for name in zipfile.ZipFile(io.BytesIO(content)).namelist() if not name.endswith("/")]
        return content, names
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    names = [str(path.relative_to(root)) for path in paths]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for path, name in zip(paths, names, strict=True):
            made.write(path, name)
    return packed.getvalue(), names


def expected_refusals(folder):
    return {path.removeprefix(f"{folder}/"): said for path, said in REFUSALS.items() if path.startswith(f"{folder}/")}


def same_spacing(found, expected):
    """Whether lengths in mm along x, y, z are the expected ones; None and nothing say the same."""
    known = [length for length in found or () if length is not None]
    return known == pytest.approx(list(expected or ()), rel=1e-5)


@needs_samples
@pytest.mark.django_db
@pytest.mark.parametrize("folder", sorted(IMAGES))
def test_a_folder_of_samples_goes_in_and_nothing_of_it_is_lost(alice, cohort, folder):
    content, names = container(folder)
    upload = deliver(alice, cohort, content)
    run_jobs()
    verdicts = {row.path: row for row in Verdict.objects.filter(delivery=upload).select_related("accession__image")}
    assert sorted(verdicts) == sorted(names)
    assert not HeldFile.objects.exists()
    taken = {path: row.accession for path, row in verdicts.items() if row.accession and row.accession.image}
    refused = {path: (row.outcome, row.code) for path, row in verdicts.items() if path not in taken}
    assert refused == expected_refusals(folder)
    assert all(row.remedy for row in verdicts.values() if row.outcome == "refused")
    files = Counter(accession.name for accession in taken.values())
    assert dict(files) == {name: expected[-1] for name, expected in IMAGES[folder].items()}
    images = {image.accession.name: image for image in Image.objects.select_related("accession")}
    assert set(images) == set(IMAGES[folder])
    for name, (kind, size, timepoints, channels, spacing, _) in IMAGES[folder].items():
        image = images[name]
        found = (image.kind, (image.width, image.height, image.depth), image.timepoints, image.channels)
        assert found == (kind, size, timepoints, channels), name
        assert same_spacing((image.spacing_x, image.spacing_y, image.spacing_z), spacing), name
        kinds = set(image.files.values_list("kind", flat=True))
        assert {"original", "public", "thumbnail", "web"} <= kinds, name
        assert ("geometry" in kinds) == (kind == "volume"), name


@needs_samples
def test_medtheca_inspect_says_the_same_of_all_of_them(tmp_path):
    folders = [str(sample_dir() / folder) for folder in sorted(IMAGES)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MEDTHECA_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "inspect", "--json", *folders],
        cwd=tmp_path,
        env=kept | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert not list(tmp_path.iterdir())
    refused = {
        f"{'archive/' if file['container'] else ''}{file['path']}": (file["outcome"], file["code"])
        for file in report["files"]
        if not file["image"]
    }
    assert refused == REFUSALS
    images = {image["name"]: image for image in report["images"]}
    expected = {name: said for folder in IMAGES.values() for name, said in folder.items()}
    assert set(images) == set(expected)
    for name, (kind, size, timepoints, channels, spacing, files) in expected.items():
        image = images[name]
        found = (image["kind"], tuple(image["size"]), image["timepoints"], image["channels"], len(image["files"]))
        assert found == (kind, size, timepoints, channels, files), name
        assert same_spacing((image["spacing"] or {}).values(), spacing), name
    assert any("radially" in note for note in images["4467.dcm"]["notes"])


@needs_samples
def test_no_folder_of_samples_is_forgotten():
    folders = {path.name for path in sample_dir().iterdir() if path.is_dir()}
    assert folders == set(IMAGES) | {"isic2017"}
