"""An image's page: what everybody reads, what only its owners read, and taking it back."""

import re
from html import unescape

import pytest

from medtheca.domains.access.queries import ANYBODY, visible_images
from medtheca.domains.ledger.models import Event
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession
from tests.factories.images import make_delivery, make_images

pytestmark = pytest.mark.django_db

VALUES = {
    "diagnosis_1": "Benign",
    "diagnosis_2": "Benign melanocytic proliferations",
    "diagnosis_3": "Nevus",
    "sex": "female",
    "age": 43,
    "age_approx": 45,
    "melanocytic": True,
    "clin_size_long_diam_mm": "7.50",
    "patient_id": "MRN-20471",
    "lesion_id": "left-arm-3",
    "image_type": "dermoscopic",
}
PRIVATE = ("MRN-20471", "left-arm-3", "photo_secret.jpg", "Clinic 2026", "Institution of", "alice@example.org")


@pytest.fixture
def image(cohort):
    (image,) = make_images(cohort, 1, visibility="public", structured=VALUES, names=["photo_secret.jpg"])
    return image


def page(client, image):
    answer = client.get(f"/images/{image.public_id or image.key}/")
    assert answer.status_code == 200
    return answer.content.decode()


def facts(text):
    found = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", text, re.DOTALL)
    return {label: unescape(" ".join(re.sub(r"<[^>]+>", " ", value).split())) for label, value in found}


def test_everybody_reads_the_public_facts(nobody, image):
    shown = facts(page(nobody, image))
    assert shown["Diagnosis"] == "Benign → Benign melanocytic proliferations → Nevus"
    assert shown["Approximate age"] == "45 years"
    assert shown["Melanocytic"] == "yes"
    assert shown["Clinical size, longest diameter"] == "7.50 mm"
    assert shown["Licence"] == "CC-BY-4.0"
    assert shown["Attribution"] == "Clinic of Exampleton"
    assert shown["Size"] == "600 \N{MULTIPLICATION SIGN} 450 pixels"
    assert "Age" not in shown


def test_nobody_but_members_reads_what_is_private(nobody, as_charlie, as_alice, as_sam, image):
    for stranger in (nobody, as_charlie):
        text = page(stranger, image)
        assert [word for word in PRIVATE if word in text] == []
        assert ">43<" not in text
        assert "Versions" not in text
    for member in (as_alice, as_sam):
        text = page(member, image)
        assert [
            word for word in ("MRN-20471", "left-arm-3", "photo_secret.jpg", "Clinic 2026") if word not in text
        ] == []
        assert facts(text)["Age"] == "43"
        assert "Version 1" in text


def test_patients_and_lesions_are_shown_by_their_public_ids(nobody, cohort, image):
    accession = Accession.objects.get(image=image)
    link_subjects(contributor=cohort.contributor, rows=[(accession, "MRN-20471", "left-arm-3")])
    accession.refresh_from_db()
    text = page(nobody, image)
    assert accession.patient.public_id in text
    assert accession.lesion.public_id in text
    assert "MRN-20471" not in text


def test_files_are_offered_and_the_original_is_not(nobody, image):
    text = page(nobody, image)
    assert f'src="/files/images/{image.public_id}/web.jpg"' in text
    assert f'href="/files/images/{image.public_id}/full.jpg" download' in text
    assert f'href="/api/v2/images/{image.public_id}/"' in text
    assert "original" not in text


def test_synthetic_images_say_so(nobody, cohort):
    (drawn,) = make_images(cohort, 1, visibility="public", structured={"image_manipulation": "synthetic"})
    assert "Drawn by a program; it shows no patient" in page(nobody, drawn)


def test_an_image_without_metadata_has_a_page(nobody, as_alice, cohort):
    (bare,) = make_images(cohort, 1, visibility="public")
    for reader in (nobody, as_alice):
        assert "SHA-256" in page(reader, bare)


def test_the_arrows_follow_the_search(nobody, cohort):
    first, _, last = (
        make_images(cohort, 1, visibility="public", structured={"sex": sex})[0] for sex in ("male", "female", "male")
    )
    text = nobody.get(f"/images/{last.public_id}/?sex=male").content.decode()
    assert re.findall(r'href="([^"]+)" rel="next"', text) == [f"/images/{first.public_id}/?q=sex%3Amale"]
    assert 'rel="prev"' not in text


def test_owners_see_the_upload_the_verdict_and_what_a_version_changed(as_alice, alice, cohort):
    delivery = make_delivery(cohort)
    (image,) = make_images(cohort, 1, structured={"sex": "male"}, delivery=delivery)
    accession = Accession.objects.get(image=image)
    said = "Its pixels are those of b.jpg."
    delivery.verdicts.create(
        ordinal=0, path="a.jpg", name="a.jpg", outcome="accepted", code="same_pixels", words=said, accession=accession
    )
    describe_accessions(changes=[Change(accession, {"sex": "female"})], creator=alice, reason="Mistyped.")
    text = page(as_alice, image)
    assert f"/uploads/{delivery.pk}/" in text
    assert said in text
    assert '<del class="decoration-1">male</del>' in text
    assert '<ins class="font-medium no-underline">female</ins>' in text
    assert "Mistyped." in text


# --- taking back


def withdraw(client, image, **data):
    return client.post(f"/images/{image.public_id}/withdraw/", data)


def test_alice_withdraws_with_a_reason_and_the_typed_id(as_alice, nobody, image):
    answer = withdraw(as_alice, image, reason="Consent was withdrawn.", confirmation=image.public_id)
    assert answer.status_code == 302
    assert not visible_images(ANYBODY).exists()
    assert nobody.get(f"/images/{image.public_id}/").status_code == 410
    text = page(as_alice, image)
    assert "Consent was withdrawn." in text
    assert "/withdraw/" not in text
    assert Event.objects.filter(verb="image.withdrawn").count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"reason": "", "confirmation": "{id}"}, "required"),
        ({"reason": "Because.", "confirmation": "ISIC_1"}, "ISIC_1 is not"),
        ({"reason": "Because.", "confirmation": ""}, "required"),
    ],
)
def test_a_slip_withdraws_nothing_and_loses_nothing(as_alice, image, data, words):
    given = {name: value.replace("{id}", image.public_id) for name, value in data.items()}
    answer = withdraw(as_alice, image, **given)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert all(value in answer.content.decode() for value in given.values())
    assert visible_images(ANYBODY).exists()


def test_alice_makes_an_image_private_and_may_publish_it_again(as_alice, nobody, cohort, image):
    as_alice.post(f"/images/{image.public_id}/unpublish/", {"reason": "Wrong diagnosis."})
    assert nobody.get(f"/images/{image.public_id}/").status_code == 404
    assert "All that are ready" in as_alice.get(f"/cohorts/{cohort.pk}/publish/").content.decode()
    assert f'alt="{image.public_id}, Nevus"' in as_alice.get(f"/cohorts/{cohort.pk}/publish/").content.decode()


def test_charlie_can_withdraw_nothing(as_charlie, image):
    assert withdraw(as_charlie, image, reason="Mine.", confirmation=image.public_id).status_code == 403
    assert visible_images(ANYBODY).exists()
