"""Pages of volumes, slides and documents: what stands on the stage, and what the file's header said."""

import re
from html import unescape

import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.storage.queries import blob_store
from tests.factories.cases import draw_slide, make_document, make_slide, make_volume
from tests.factories.images import make_images
from tests.factories.storage import use_data_folder
from tests.generators import volumes

pytestmark = pytest.mark.django_db

TIMES = "\N{MULTIPLICATION SIGN}"
CODED = {"value": "69536005", "scheme": "SCT", "meaning": "Head"}
STAIN = {"value": "104210008", "scheme": "SCT", "meaning": "hematoxylin and eosin"}


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    yield
    blob_store.cache_clear()


def page(client, image):
    answer = client.get(f"/images/{image.public_id or image.key}/")
    assert answer.status_code == 200
    return answer.content.decode()


def facts(text):
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", text, re.DOTALL)
    return {label: unescape(" ".join(re.sub(r"<[^>]+>", " ", value).split())) for label, value in found}


def test_a_volume_has_planes_slices_times_and_windows(nobody, cohort, tmp_path):
    voxels = volumes.draw((20, 16, 6), times=3)
    image = make_volume(
        cohort, tmp_path, voxels, visibility="public", count=4, facts={"modality": "CT", "body_part": CODED}
    )
    text = page(nobody, image)
    assert f'data-slices="/files/images/{image.public_id}/slices"' in text
    counts = dict(re.findall(r'data-volume-plane="(\w+)" data-count="(\d+)"', text))
    assert counts == {"axial": "6", "coronal": "16", "sagittal": "20"}
    assert re.search(r'max="3" value="1" data-volume-time', text)
    assert 'value="-600,1500"' in text
    assert "dist/volume.js" in text
    shown = facts(text)
    assert "CT" in shown["Modality"]
    assert shown["Body part"] == "Head"
    assert shown["Spacing"] == "0.5 by 2 by 3.25 mm"
    assert shown["Time points"] == "3"
    assert shown["Size"] == f"20 {TIMES} 16 {TIMES} 6 voxels"
    assert f"Volume 20 {TIMES} 16 {TIMES} 6, 3 times" in text


def test_a_volume_that_lies_on_its_side_has_its_slices_where_the_patient_has_them(nobody, cohort, tmp_path):
    sagittal = [[0, 0, 1], [1, 0, 0], [0, -1, 0]]
    image = make_volume(cohort, tmp_path, volumes.draw((20, 16, 6)), visibility="public", direction=_matrix(sagittal))
    counts = dict(re.findall(r'data-volume-plane="(\w+)" data-count="(\d+)"', page(nobody, image)))
    assert counts == {"axial": "16", "coronal": "20", "sagittal": "6"}


def _matrix(rows):
    import numpy as np

    return np.array(rows, float)


def test_a_single_slice_has_no_planes(nobody, cohort, tmp_path):
    image = make_volume(cohort, tmp_path, volumes.draw((20, 16, 1)), visibility="public")
    text = page(nobody, image)
    assert "data-volume-plane" not in text
    assert "data-volume-slice" not in text
    assert f"Slice 20 {TIMES} 16" in text


def test_a_slide_can_be_zoomed_and_says_how_it_was_made(nobody, cohort, tmp_path):
    image = make_slide(
        cohort,
        tmp_path,
        draw_slide(600, 500),
        visibility="public",
        facts={"magnification": 40.0, "stain": [STAIN], "manufacturer": "Maker", "model": "Scanner 3"},
    )
    text = page(nobody, image)
    assert f'data-slide="/files/images/{image.public_id}/tiles.dzi"' in text
    assert "dist/slide.js" in text
    shown = facts(text)
    assert "40" in shown["Magnification"]
    assert shown["Stain"] == "hematoxylin and eosin"
    assert "Scanner 3" in shown.values()
    assert shown["Resolution"] == "0.25 µm per pixel"
    assert shown["Size"] == f"600 {TIMES} 500 pixels"


def test_a_document_is_a_card(nobody, cohort, tmp_path):
    image = make_document(cohort, tmp_path, visibility="public")
    text = page(nobody, image)
    assert image.geometry["title"] in text
    assert f"/files/images/{image.public_id}/full.json" in text
    assert "Size" not in facts(text)
    assert "pixels" not in text.partition("<h2>File</h2>")[2]


def test_a_photograph_is_as_it_was(nobody, cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    text = page(nobody, image)
    assert "volume.js" not in text
    assert "slide.js" not in text
    assert "What the file says" not in text
    assert "Full size" in text


def test_tiles_say_what_is_no_photograph(nobody, cohort, tmp_path):
    make_volume(cohort, tmp_path, volumes.draw((20, 16, 6)), visibility="public")
    make_slide(cohort, tmp_path, draw_slide(600, 500), visibility="public")
    make_document(cohort, tmp_path, visibility="public")
    make_images(cohort, 1, visibility="public")
    text = nobody.get("/gallery/").content.decode()
    flags = [" ".join(re.sub(r"<[^>]+>", " ", flag).split()) for flag in re.findall(r'tile-flag">(.*?)</span>', text)]
    assert sorted(flags) == ["Document", "Slide", f"Volume 20 {TIMES} 16 {TIMES} 6"]


def test_what_a_header_says_cannot_become_a_page(nobody, cohort, tmp_path):
    image = make_volume(cohort, tmp_path, volumes.draw((20, 16, 6)), visibility="public")
    evil = '"><script>alert(1)</script>'
    Image.objects.filter(pk=image.pk).update(
        facts={"modality": evil, "body_part": {"meaning": evil, "scheme": evil, "value": evil}, "model": evil},
        geometry=image.geometry | {"windows": [{"centre": 1, "width": 2, "name": evil}]},
    )
    assert "<script>alert" not in page(nobody, image)
