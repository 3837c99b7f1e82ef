"""What files say of themselves is found under the same visibility as everything else, by plain Python's account."""

import random
from collections import Counter

import pytest
from django.db import connection

from medtheca.base.errors import Invalid
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.facets import facet
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import count, find
from medtheca.toolkit.images.terms import BODY_PARTS, STAINS
from medtheca.toolkit.schemas import ACQUISITION, DERMATOLOGY
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
HAEMATOXYLIN, EOSIN = STAINS["12710003"], STAINS["36879007"]


def code(found):
    return {"value": found.value, "scheme": found.scheme, "meaning": found.meaning}


KINDS = (
    {"kind": "picture", "format": "jpeg"},
    {
        "kind": "volume", "format": "dicom", "depth": 30, "spacing_x": 0.7, "spacing_y": 0.5,
        "facts": {
            "modality": "MR", "body_part": code(BODY_PARTS["BRAIN"]), "laterality": "R", "manufacturer": "Acme",
            "model": "Scanner 3",
        },
    },
    {
        "kind": "volume", "format": "nifti", "depth": 200, "spacing_x": 0.4, "spacing_y": 0.4,
        "facts": {"modality": "CT", "body_part": code(BODY_PARTS["CHEST"]), "manufacturer": "acme"},
    },
    {
        "kind": "slide", "format": "slide", "spacing_x": 0.00025, "spacing_y": 0.00025,
        "facts": {"modality": "SM", "magnification": 20.0, "stain": [code(HAEMATOXYLIN), code(EOSIN)]},
    },
    {
        "kind": "slide", "format": "tiff",
        "facts": {"modality": "SM", "magnification": 40, "stain": [code(HAEMATOXYLIN)], "manufacturer": "Aperio"},
    },
    {"kind": "document", "format": "dicom", "depth": 0, "width": 0, "height": 0, "facts": {"modality": "SR"}},
)  # fmt: skip


@pytest.fixture
def world(db):
    """Images of each kind in every state of visibility, and who may see each."""
    dice = random.Random(4)
    people = {name: make_user(name) for name in ("alice", "bob", "sam")}
    known = {}
    for owner in ("alice", "bob"):
        cohort = make_cohort(people[owner], name=owner)
        for visibility in ("private", "signed_in", "public"):
            for image in make_images(cohort, 12, visibility=visibility):
                said = dice.choice(KINDS)
                Image.objects.filter(pk=image.pk).update(**said)
                known[image.pk] = (owner, visibility, said)
    return people, known


def sees(person, owner, visibility):
    return visibility == "public" or person in {"sam", owner} or (visibility == "signed_in" and person is not None)


def says(said, field):
    columns = {"image_kind": "kind", "format": "format", "slices": "depth", "pixel_spacing": "spacing_x"}
    if field in columns:
        value = said.get(columns[field], 1 if field == "slices" else None)
        return [] if value is None else [f"{value:g}" if field == "pixel_spacing" else str(value)]
    value = said.get("facts", {}).get({"manufacturer_model": "model"}.get(field, field))
    if value is None:
        return []
    if field == "stain":
        return [one["meaning"] for one in value]
    return [value["meaning"] if field == "body_part" else f"{value:g}" if field == "magnification" else value]


WANTED = {
    "image_kind": ("volume", "slide", "document", "picture"),
    "format": ("dicom", "jpeg", "tiff", "oct"),
    "modality": ("MR", "SM", "US"),
    "body_part": ("Brain", "Thorax", "Foot"),
    "laterality": ("R", "B"),
    "stain": (HAEMATOXYLIN.meaning, EOSIN.meaning, "Gram stain".lower()),
    "manufacturer": ("Acme", "acme", "Nobody"),
    "manufacturer_model": ("Scanner 3",),
    "magnification": (20.0, 40.0, 10.0),
}


def questions():
    yield Filters()
    for name, values in WANTED.items():
        yield from (Filters(**{name: value}) for value in values)
    yield Filters(image_kind="slide", stain=HAEMATOXYLIN.meaning, magnification=40.0)
    yield Filters(slices_from=2, slices_to=100)
    yield Filters(slices_from=200)
    yield Filters(slices_to=1, image_kind="slide")
    yield Filters(pixel_spacing_to=0.6)
    yield Filters(pixel_spacing_from=0.5, pixel_spacing_to=0.7)
    yield Filters(pixel_spacing_from=0.6)


def matches(filters, said):
    ok = True
    for name in WANTED:
        value = getattr(filters, name)
        text = f"{value:g}" if isinstance(value, float) else value
        ok &= value in ("", None) or text in says(said, name)
    depth, spacing = said.get("depth", 1), [said.get("spacing_x"), said.get("spacing_y")]
    ok &= filters.slices_from is None or depth >= filters.slices_from
    ok &= filters.slices_to is None or depth <= filters.slices_to
    for limit, sign in ((filters.pixel_spacing_from, 1), (filters.pixel_spacing_to, -1)):
        ok &= limit is None or all(one is not None and sign * one >= sign * limit for one in spacing)
    return ok


@pytest.mark.parametrize("person", [None, "alice", "bob", "sam"])
def test_every_question_is_answered_as_plain_python_does_and_only_with_what_the_asker_sees(person, world):
    people, known = world
    people["sam"].is_staff = True
    people["sam"].save()
    found_any = 0
    for filters in questions():
        expected = {
            pk for pk, (owner, shown, said) in known.items() if sees(person, owner, shown) and matches(filters, said)
        }
        found_any += bool(expected)
        asker = people.get(person)
        assert set(find(filters, asker=asker).values_list("pk", flat=True)) == expected, filters
        assert count(filters, asker=asker) == len(expected), filters
        for field in ACQUISITION.by_name:
            values = Counter(value for pk in expected for value in says(known[pk][2], field))
            assert facet(filters, field, asker=asker) == dict(values), (filters, field)
    assert found_any > 15


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"body_part": "12738006"}, {"body_part": "Brain"}),
        ({"body_part": "brain"}, {"body_part": "Brain"}),
        ({"body_part": "CHEST"}, {"body_part": "Thorax"}),
        ({"modality": "ct"}, {"modality": "CT"}),
        ({"modality": "magnetic resonance"}, {"modality": "MR"}),
        ({"stain": "36879007"}, {"stain": EOSIN.meaning}),
        ({"laterality": "left"}, {"laterality": "L"}),
        ({"magnification": "20"}, {"magnification": 20.0}),
        ({"slices_from": "2", "pixel_spacing_to": "0.5"}, {"slices_from": 2, "pixel_spacing_to": 0.5}),
    ],
)
def test_codes_and_meanings_are_understood(given, wanted):
    assert read_filters(given) == Filters(**wanted)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"modality": "computer tomography"}, "CT"),
        ({"body_part": "Brian"}, "Brain"),
        ({"image_kind": "volumes"}, "volume"),
        ({"magnification": "inf"}, "0.5"),
        ({"pixel_spacing_from": "fine"}, "0.5"),
        ({"slices_to": "2.5"}, "45"),
        ({"manufacturer": "a\x00b"}, "gallery"),
    ],
)
def test_what_no_header_says_is_refused_by_name_with_help(given, remedy):
    with pytest.raises(Invalid) as refusal:
        read_filters(given)
    (problem,) = refusal.value.problems
    assert problem.field in given
    assert remedy in problem.remedy


def test_what_a_sheet_says_stands_beside_and_never_over_what_the_file_says():
    cohort = make_cohort(make_user("alice"))
    (image,) = make_images(cohort, 1, visibility="public")
    Image.objects.filter(pk=image.pk).update(facts={"modality": "MR"})
    accession = Accession.objects.get(image=image)
    describe_accessions(changes=[Change(accession, {}, {"modality": "CT"})], creator=cohort.creator)
    assert count(Filters(modality="MR"), asker=None) == 1
    assert count(Filters(modality="CT"), asker=None) == 0
    accession.refresh_from_db()
    assert accession.description.unstructured == {"modality": "CT"}


def test_no_field_of_headers_is_one_of_sheets():
    assert not set(ACQUISITION.columns) & set(DERMATOLOGY.columns)
    assert all(item.standards for item in ACQUISITION.fields if item.name not in {"image_kind", "format"})


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(modality="MR"), "image_facts"),
        (Filters(stain=EOSIN.meaning), "image_facts"),
        (Filters(image_kind="slide"), "image_kind"),
        (Filters(format="nifti"), "image_format"),
        (Filters(slices_from=50), "image_depth"),
        (Filters(pixel_spacing_to=0.3), "image_spacing"),
    ],
)
def test_indexes_serve_these_filters(filters, index, world):
    """With sequential scans forbidden, the planner takes the index that was made for the filter, so it can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute("DROP INDEX image_with_facts")
        # What the planner believes of the tables shall be this world, and not what some test before it left.
        cursor.execute("ANALYZE imaging_image, access_placement, access_membership, access_withdrawal")
        plan = find(filters, asker=world[0]["alice"]).only("pk").explain()
    assert f"on {index} " in plan, plan
