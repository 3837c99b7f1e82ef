"""What the API tells of volumes, slides and documents: size, space, facts, files; and how they are found."""

import hashlib
import json

import pytest

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.interfaces.api.v2.shapes.images import ImageDetailOut
from medtheca.interfaces.api.v2.shapes.provenance import AccessionDetailOut
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.generators import dicoms
from tests.interfaces.api.world import by_token, make_image, nobody
from tests.samples import needs_samples, sample_dir

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def series(**attributes):
    slices = dicoms.series(
        dicoms.along([0, 3.0, 6.0, 9.0]),
        Modality="MR",
        BodyPartExamined="BRAIN",
        Manufacturer="SIEMENS",
        ManufacturerModelName="Skyra",
        **attributes,
    )
    return [(f"t1/{place}.dcm", data) for place, data in enumerate(slices)]


def send(alice, cohort, files):
    upload = deliver(alice, cohort, make_zip(files))
    run_jobs()
    return upload


def publish(image):
    Accession.objects.filter(image=image).update(published=now())
    assign_public_ids(image_ids=[image.pk])
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC)
    image.refresh_from_db()


def strict(shape):
    return type("Strict", (shape,), {"model_config": {**shape.model_config, "extra": "forbid"}})


def test_a_series_tells_its_size_space_facts_and_files(alice, cohort):
    send(alice, cohort, series())
    image = Image.objects.get()
    publish(image)
    body = nobody().get(f"images/{image.public_id}/").body
    strict(ImageDetailOut).model_validate(body)
    assert (body["kind"], body["format"], body["timepoints"], body["channels"]) == ("volume", "dicom", 1, 1)
    assert body["size"] == {"x": image.width, "y": image.height, "z": 4}
    assert body["spacing_mm"] == {"x": 1.0, "y": 2.0, "z": 3.0}
    assert body["origin_mm"] == dict(zip("xyz", dicoms.along([0])[0], strict=True))
    assert body["direction"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert body["value_type"] == image.geometry["value_type"]
    assert body["facts"] == {
        "modality": "MR",
        "body_part": {"value": "12738006", "scheme": "SCT", "meaning": "Brain"},
        "manufacturer": "SIEMENS",
        "manufacturer_model": "Skyra",
    }
    assert body["files"]["full"]["url"].endswith("/full.mha")
    assert body["files"]["geometry"]["url"].endswith("/geometry.json")
    assert body["files"]["geometry"]["size"] == image.files.get(kind="geometry").blob.size
    assert "original" not in body["files"]
    # The keys of ISIC's clients are as they were.
    assert body["metadata"]["acquisition"] == {"pixels_x": image.width, "pixels_y": image.height}


def test_a_photograph_says_so_and_nothing_more(cohort):
    image = make_image(cohort, visibility=Visibility.PUBLIC)
    body = nobody().get(f"images/{image.public_id}/").body
    assert (body["kind"], body["facts"], body["windows"], body["direction"]) == ("picture", {}, [], None)
    assert (body["size"], body["value_type"]) == ({"x": 640, "y": 480, "z": 1}, "uint8")
    assert body["spacing_mm"] == {"x": None, "y": None, "z": None}


def test_its_people_see_the_files_of_the_original_and_others_nothing(alice, cohort):
    files = series()
    send(alice, cohort, files)
    accession = Accession.objects.get()
    body = by_token(alice).get(f"accessions/{accession.pk}/").body
    strict(AccessionDetailOut).model_validate(body)
    hashes = {hashlib.sha256(data).hexdigest(): len(data) for _, data in files}
    assert {one["sha256"]: one["size"] for one in body["original"]} == hashes
    assert [one["name"] for one in body["original"]] == [f"{place:06}.dcm" for place in range(4)]
    assert (body["image"]["size"]["z"], body["text_suspected"]) == (4, "")
    publish(Image.objects.get())
    assert by_token(make_user("mallory")).get(f"accessions/{accession.pk}/").status_code == 404
    assert nobody().get(f"accessions/{accession.pk}/").status_code == 401


def test_one_file_is_its_own_original(alice, cohort):
    send(alice, cohort, series()[:1])
    accession = Accession.objects.get()
    (file,) = by_token(alice).get(f"accessions/{accession.pk}/").body["original"]
    assert (file["name"], file["sha256"]) == (accession.name, accession.original.sha256)


def test_verdicts_and_the_accession_tell_what_was_found(alice, cohort):
    slices = dicoms.series(dicoms.along([0, 3, 6, 9, 15, 18, 21, 24]))
    upload = send(alice, cohort, [(f"s/{place}", data) for place, data in enumerate(slices)])
    rows = by_token(alice).get(f"uploads/{upload}/verdicts/").body["results"]
    assert all("missing" in row["note"] for row in rows)
    told = by_token(alice).get(f"accessions/{rows[0]['accession']}/").body["notes"]
    assert told == Verdict.objects.filter(accession=rows[0]["accession"]).first().note
    sheet = by_token(alice).get(f"uploads/{upload}/verdicts/", accept="text/csv")
    header, *lines = b"".join(sheet.streaming_content).decode().splitlines()
    assert header.endswith(",note")
    assert all("missing" in line for line in lines)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("modality=MR", 1),
        ("modality=CT", 0),
        ("body_part=12738006", 1),
        ("body_part=brain", 1),
        ("image_kind=volume", 1),
        ("image_kind=picture", 1),
        ("format=dicom&slices_from=4&slices_to=4", 1),
        ("slices_from=5", 0),
        ("pixel_spacing_to=1.5", 0),
        ("pixel_spacing_to=2", 1),
        ("manufacturer=SIEMENS&manufacturer_model=Skyra", 1),
        ("magnification=20", 0),
        ("", 2),
    ],
)
def test_a_volume_is_found_by_what_its_file_says(alice, cohort, query, number):
    send(alice, cohort, series())
    volume = Image.objects.get()
    make_image(cohort, visibility=Visibility.PUBLIC)
    assert by_token(alice).get(f"images/?{query}").body["count"] == number
    # The volume is private: for others it is not there, whatever they ask.
    hidden = 0 if query not in {"", "image_kind=picture"} else 1
    assert nobody().get(f"images/?{query}").body["count"] == hidden
    publish(volume)
    assert nobody().get(f"images/?{query}").body["count"] == number


def test_a_code_that_is_none_is_refused_with_help():
    answer = nobody().get("images/?body_part=Brian")
    assert answer.status_code == 400
    assert "Brain" in json.dumps(answer.body)


def test_the_dictionary_tells_what_files_say(alice):
    body = nobody().get("metadata-fields/?pack=acquisition").body
    assert (body["pack"], body["source"]) == ("acquisition", "header")
    fields = {field["name"]: field for field in body["fields"]}
    assert "CID 33" in fields["modality"]["standards"]
    assert "SNOMED CT" in fields["body_part"]["standards"]
    assert nobody().get("metadata-fields/").body["source"] == "sheet"


@needs_samples
def test_a_real_slide_is_found_by_its_stains_and_organ(alice, cohort):
    send(alice, cohort, [("slide.dcm", (sample_dir() / "dicom_wsi" / "sm_image.dcm").read_bytes())])
    image = Image.objects.get()
    publish(image)
    for query in ("stain=12710003", "stain=36879007", "stain=hematoxylin%20stain&body_part=12738006", "modality=SM"):
        assert nobody().get(f"images/?{query}").body["count"] == 1, query
    assert nobody().get("images/?stain=406989007").body["count"] == 0
    body = nobody().get(f"images/{image.public_id}/").body
    strict(ImageDetailOut).model_validate(body)
    assert (body["kind"], body["size"]["z"]) == ("slide", 1)
    assert [code["value"] for code in body["facts"]["stain"]] == ["12710003", "36879007"]
    assert "S19-1" not in json.dumps(body)
