"""Archives, people and queries by chance: in plain Python, and the same as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from hypothesis import strategies as st

from medtheca.base.clock import now
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, Role, ScopeKind
from medtheca.domains.access.models import Membership, Placement, Scope, Withdrawal
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.near_duplicates import group_due
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.domains.search.naming import Listings
from medtheca.domains.storage.models import Blob
from medtheca.toolkit.images.terms import BODY_PARTS, STAINS
from medtheca.toolkit.querylang import FIELDS, ValueKind
from medtheca.toolkit.querylang.words import says
from tests.domains.search.brute_force import Archive, Person, Picture
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.toolkit.querylang.trees import leaves, trees, values_of

PEOPLE = ("alice", "bob", "charlie", "sam")
COHORTS = ("First clinic", "Second clinic")
COLLECTIONS = {11: ("Moles", frozenset({"everybody"})), 12: ("Drafts", frozenset({"alice"}))}
EVERYBODY = (None, *PEOPLE)
START = datetime(2024, 1, 1, tzinfo=UTC)
STAIN_NAMES = {code.meaning: code for code in STAINS.values()}
PART_NAMES = {code.meaning: code for code in BODY_PARTS.values()}

# Few values of each field, so that queries find something.
POOLS = {
    "sex": ["male", "female"],
    "fitzpatrick_skin_type": ["I", "II", "VI"],
    "image_type": ["dermoscopic", "clinical: close-up"],
    "mel_mitotic_index": ["0/mm^2", "<1/mm^2", ">4/mm^2"],
    "diagnosis": [
        "Benign",
        "Benign:Benign melanocytic proliferations:Nevus",
        "Benign:Benign melanocytic proliferations:Nevus:Nevus, Spitz",
        "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma Invasive",
    ],
    "anatom_site": ["Trunk", "Head and neck:Head:Scalp", "Head and neck:Head:Face:Cheek"],
    "age_approx": [Decimal(age) for age in (0, 5, 50, 55, 85)],
    "mel_thick_mm": [Decimal("0.80"), Decimal("1.00"), Decimal("12.50")],
    "clin_size_long_diam_mm": [Decimal("0.00"), Decimal("7.50")],
    "modality": ["CT", "MR"],
    "body_part": ["Brain", "Thorax"],
    "laterality": ["R", "L"],
    "stain": ["hematoxylin stain", "water soluble eosin stain"],
    "manufacturer": ["Acme", "100%_Acme", "a\\b"],
    "manufacturer_model": ["Scanner 3"],
    "magnification": [Decimal(20), Decimal(40)],
    "isic_id": ["ISIC_0000000", "ISIC_0000003", "ISIC_7000000"],
    "patient_id": ["IP_0000001", "IP_0000002", "private-1"],
    "lesion_id": ["IL_0000001", "private-1"],
    "rcm_case_id": ["private-1"],
    "attribution": ["Clinic", 'Dr. "X" & Co', "Käthe"],
    "copyright_license": ["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"],
    "cohort": [*COHORTS, "first CLINIC", "No such clinic"],
    "collection": ["Moles", "Drafts", "11", "12", "13"],
    "pixels_x": [Decimal(600), Decimal(601)],
    "file_size": [Decimal(999), Decimal(1000), Decimal(10**10)],
    "slices": [Decimal(1), Decimal(30)],
    "pixel_spacing": [Decimal("0.7"), Decimal("0.5")],
    "image_kind": ["picture", "picture", "volume", "document"],
    "format": ["jpeg", "dicom"],
    "near_duplicates": [Decimal(0), Decimal(1), Decimal(2), Decimal("0.5")],
    "exact_duplicates": [Decimal(0), Decimal(1)],
    "duplicate_group": ["ISIC_0000000", "ISIC_0000001", "ISIC_0000002", "ISIC_7000000"],
}  # fmt: skip
# Two steps of six bits, the middle of a chain among them; nothing to say; and one that is like none.
LOOKS = [0, 0b1, 0b1111111, 0b1111111111111, 0x0F0F_0F0F_0F0F_0F0F]
SPACINGS = [None, (0.7, 0.5), (0.5, 0.5)]
STRUCTURED = (
    *("sex", "fitzpatrick_skin_type", "image_type", "mel_mitotic_index", "diagnosis", "anatom_site", "age_approx"),
    *("mel_thick_mm", "clin_size_long_diam_mm", "melanocytic", "mel_ulcer"),
)
FACTS = ("modality", "body_part", "laterality", "manufacturer", "manufacturer_model", "magnification")


def some(name):
    """A value of a field's pool, seldom another."""
    if FIELDS[name].kind is ValueKind.BOOL:
        return st.booleans()
    return st.sampled_from(POOLS[name])


def asked(field):
    other = values_of(field)
    return (
        st.one_of(st.sampled_from(POOLS[field.name]), st.sampled_from(POOLS[field.name]), other)
        if (field.name in POOLS and field.kind is not ValueKind.HIERARCHY)
        else other
    )


PIECES = ["", "m", "a", "Ne", "vus", "ISIC_000", "C", "_", "%", "\\", "ca", "CC-", "1", " "]
WORDS = st.sampled_from(
    [
        *("nevus", "NEVUS", "melanoma", "Melanoma Invasive", "head", "isic_00", "a", "e", "%", "zzz", "ß"),
        *("kathe", "KÄTHE", "Dr X", "x co", "clin", "first clinic", "second", "mole", "drafts", "acme", "scanner 3"),
        *("male", "dermoscopic", "overview", "computed tomography", "brain", "12738006", "eosin", "0.jpg", "jpg"),
        *("photo 1", "photos 1", "private-1", "erika mustermann", "mustermann", "ERIKÄ", "IP_0000001", "il_0000001"),
    ]
)
PATHS = st.sampled_from(["", "photos/1/{}.jpg", "Photo/{}.jpg"])
NOTES = st.dictionaries(
    st.sampled_from(["Name", "Ward"]), st.sampled_from(["Erika Mustermann", "1st", "jpg"]), max_size=2
)
"""What nobody shall know but the people of the cohort."""
QUERIES = trees(
    leaves(
        values=asked,
        words=WORDS,
        patterns=lambda: st.lists(st.sampled_from(PIECES), min_size=2, max_size=4).map(_clean),
    ),
    most=8,
)


def _clean(pieces):
    first, *middle, last = pieces
    found = (first, *filter(None, middle), last)
    return found if any(found) else ("a", "")


@st.composite
def pictures(draw, number):
    said = {name: draw(st.none() | some(name)) for name in STRUCTURED}
    facts = {name: draw(st.none() | some(name)) for name in FACTS} if draw(st.booleans()) else {}
    if facts:
        facts["stain"] = draw(st.lists(some("stain"), max_size=2, unique=True)) or None
    cohort = draw(st.sampled_from(COHORTS))
    circles = ("public", "signed_in", "group", cohort, f"{cohort}, contributor")
    return Picture(
        number=number,
        created=START + timedelta(days=draw(st.integers(0, 400))),
        cohort=cohort,
        contributor=f"{cohort}, contributor",
        licence=draw(some("copyright_license")),
        attribution=draw(some("attribution")),
        public_id=f"ISIC_{number:07}" if draw(st.booleans()) else None,
        width=draw(st.sampled_from([600, 601])),
        size=draw(st.sampled_from([999, 1000, 10**10])),
        kind=draw(some("image_kind")),
        format=draw(some("format")),
        depth=draw(st.sampled_from([1, 30])),
        spacing=draw(st.sampled_from(SPACINGS)),
        structured={name: value for name, value in said.items() if value is not None},
        facts={name: value for name, value in facts.items() if value is not None},
        patient=draw(st.sampled_from([None, "IP_0000001", "IP_0000002"])),
        lesion=draw(st.sampled_from([None, "IL_0000001"])),
        placed=draw(st.dictionaries(st.sampled_from(circles), st.booleans(), max_size=4)),
        withdrawn=draw(st.integers(0, 4)) == 0,
        collections=draw(st.frozensets(st.sampled_from(["Moles", "Drafts"]))),
        look=draw(st.sampled_from(LOOKS)),
        pixels=draw(st.sampled_from([number, number, 900])),
        path=draw(PATHS).format(number),
        notes=draw(NOTES),
    )


@st.composite
def worlds(draw, most=6):
    """Pictures, and the roles of people in circles."""
    found = [draw(pictures(number)) for number in range(draw(st.integers(1, most)))]
    circles = ("group", *COHORTS, *(f"{name}, contributor" for name in COHORTS))
    keys = st.tuples(st.sampled_from(PEOPLE[:3]), st.sampled_from(circles))
    roles = draw(st.dictionaries(keys, st.sampled_from([role.value for role in Role]), max_size=6))
    return found, roles, draw(st.frozensets(st.sampled_from(PEOPLE), max_size=1))


class Cast:
    """People, circles, cohorts and blobs that are there before the first world; each world hangs its own."""

    def __init__(self):
        self.users = {name: make_user(name) for name in PEOPLE}
        owner = make_user("olga")
        self.cohorts = {name: make_cohort(owner, name=name) for name in COHORTS}
        self.scopes = {
            "public": PUBLIC_SCOPE,
            "signed_in": SIGNED_IN_SCOPE,
            "group": Scope.objects.create(kind=ScopeKind.GROUP, name="Group").pk,
        }
        for name, cohort in self.cohorts.items():
            self.scopes[name] = cohort.scope_id
            self.scopes[f"{name}, contributor"] = cohort.contributor.scope_id
        self.listings = {
            name: Scope.objects.create(kind=ScopeKind.COLLECTION, name=name).pk for name, _ in COLLECTIONS.values()
        }
        contributor = self.cohorts[COHORTS[0]].contributor
        self.patients = {
            public_id: Patient.objects.create(public_id=public_id, contributor=contributor, private_id=f"private{at}")
            for at, public_id in enumerate(("IP_0000001", "IP_0000002"))
        }
        self.lesions = {
            "IL_0000001": Lesion.objects.create(public_id="IL_0000001", contributor=contributor, private_id="private-1")
        }

    @property
    def listings_of(self):
        return Listings(self.listings_named, self.listings_saying)

    def listings_named(self, asker, text):
        """Scopes of collections that a text names, as `domains.collections` gives them."""
        name = next((name for name, user in self.users.items() if user == asker and user.is_active), None)
        return [
            self.listings[title]
            for key, (title, seen_by) in COLLECTIONS.items()
            if text in {str(key), title} and ("everybody" in seen_by or name in seen_by or name == "sam")
        ]

    def listings_saying(self, asker, words):
        """Scopes of collections whose names have the words, as `domains.collections` gives them."""
        return [
            scope
            for key, (title, _) in COLLECTIONS.items()
            if says(title, words)
            for scope in self.listings_named(asker, title)
        ]

    def build(self, world):
        """Make the rows of a world; gives it back as an archive, with the people in it and images by number."""
        found, roles, disabled = world
        people = {
            name: Person(
                name,
                staff=name == "sam",
                active=name not in disabled,
                roles={circle: role for (who, circle), role in roles.items() if who == name},
            )
            for name in PEOPLE
        }
        for name, user in self.users.items():
            user.is_active = people[name].active
            user.is_staff = people[name].staff
        Membership.objects.filter(Q(user__in=self.users.values())).delete()
        Membership.objects.bulk_create(
            Membership(user=self.users[name], scope_id=self.scopes[circle], role=role)
            for (name, circle), role in roles.items()
        )
        images = self._images(found)
        archive = Archive(
            found,
            {cohort.pk: name for name, cohort in self.cohorts.items()},
            {name: f"{name}, contributor" for name in COHORTS},
            COLLECTIONS,
        )
        return archive, people, images

    def _images(self, found):
        blobs = Blob.objects.bulk_create(Blob(sha256=f"{picture.number:064x}", size=picture.size) for picture in found)
        images = Image.objects.bulk_create(_image(picture) for picture in found)
        for image, picture in zip(images, found, strict=True):
            Image.objects.filter(pk=image.pk).update(created=picture.created)
        ImageFile.objects.bulk_create(
            ImageFile(image=image, kind=kind, blob=blob, media_type="image/jpeg", recipe="test 1")
            for image, blob in zip(images, blobs, strict=True)
            for kind in (FileKind.PUBLIC, FileKind.THUMBNAIL)
        )
        accessions = Accession.objects.bulk_create(
            self._accession(*row) for row in zip(found, images, blobs, strict=True)
        )
        Description.objects.bulk_create(
            Description(
                accession=accession,
                version=1,
                structured=_stored(picture) if picture.structured else {},
                unstructured=picture.notes,
            )
            for accession, picture in zip(accessions, found, strict=True)
            if picture.structured or picture.notes
        )
        self._hang(dict(zip((image.pk for image in images), found, strict=True)))
        group_due()
        return {picture.number: image.pk for image, picture in zip(images, found, strict=True)}

    def _accession(self, picture, image, blob):
        return Accession(
            cohort=self.cohorts[picture.cohort],
            name=f"{picture.number}.jpg",
            name_key=f"{picture.number}.jpg",
            original_path=picture.path,
            creator=self.users["sam"],
            state=AccessionState.CONVERTED,
            original=blob,
            image=image,
            licence=picture.licence,
            attribution=picture.attribution,
            patient=self.patients.get(picture.patient),
            lesion=self.lesions.get(picture.lesion),
        )

    def _hang(self, found):
        tomorrow = now() + timedelta(days=1)
        Placement.objects.bulk_create(
            Placement(image_id=pk, scope_id=self.scopes[circle], opens=None if open_now else tomorrow)
            for pk, picture in found.items()
            for circle, open_now in picture.placed.items()
        )
        Placement.objects.bulk_create(
            Placement(image_id=pk, scope_id=self.listings[name])
            for pk, picture in found.items()
            for name in picture.collections
        )
        Withdrawal.objects.bulk_create(
            Withdrawal(image_id=pk, reason="Consent was withdrawn.")
            for pk, picture in found.items()
            if picture.withdrawn
        )


def _image(picture):
    facts = {{"manufacturer_model": "model"}.get(name, name): _fact(name, said) for name, said in picture.facts.items()}
    across, down = picture.spacing or (None, None)
    return Image(
        public_id=picture.public_id,
        kind=picture.kind,
        format=picture.format,
        media_type="image/jpeg",
        width=picture.width,
        height=picture.height,
        depth=picture.depth,
        spacing_x=across,
        spacing_y=down,
        colour_space="sRGB",
        bits=8,
        channels=3,
        pixel_hash=f"{picture.pixels:064x}",
        perceptual_hash=picture.look,
        facts=facts,
    )


def _fact(name, said):
    if name == "stain":
        return [_code(STAIN_NAMES[meaning]) for meaning in said]
    return _code(PART_NAMES[said]) if name == "body_part" else float(said) if name == "magnification" else said


def _code(code):
    return {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _stored(picture):
    """As `validate_row` stores values. The private ids and the exact age are among them."""
    stored = {"age": 53, "patient_id": "private-1", "lesion_id": "private-1", "rcm_case_id": "private-1"}
    for name, value in picture.structured.items():
        if name in {"diagnosis", "anatom_site"}:
            stored |= {f"{name}_{level}": term for level, term in enumerate(value.split(":"), 1)}
        elif isinstance(value, Decimal):
            stored[name] = int(value) if name == "age_approx" else str(value)
        else:
            stored[name] = value
    return stored
