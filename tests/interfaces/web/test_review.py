"""The queue, the gallery and a submission's page, as people see and use them."""

import re

import pytest
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.models import Accession, Cohort, FileVersion, Lesion, Review
from medtheca.domains.provenance.reviewing import record_reviews
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import sha256_of
from tests.generators import dicoms

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


@pytest.fixture
def rita(cohort):
    return make_reviewer("rita", cohort)


def make_reviewer(name, cohort):
    user = make_user(name)
    add_member(scope=cohort.scope, user=user, role=Role.REVIEWER)
    return user


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def accessions_of(images):
    return list(Accession.objects.filter(image__in=images).order_by("pk").values_list("pk", flat=True))


def tiles(page):
    return [int(number) for number in re.findall(r'data-accession="(\d+)"', page.content.decode())]


def decide(client, cohort, **data):
    return client.post(f"/review/{cohort.pk}/decide/", data, headers={"accept": "application/json"})


def test_the_queue_counts_what_waits_for_rita(cohort, rita):
    make_images(cohort, 3)
    other = make_cohort(make_user("bob"), name="Bob's")
    make_images(other, 2)

    page = client_of(rita).get("/review/").content.decode()

    assert "3 images wait" in page
    assert "Bob&#x27;s" not in page
    assert "5 images wait" in client_of(make_user("sam")).get("/review/").content.decode()
    assert "Nothing waits for you" in client_of(cohort.creator).get("/review/").content.decode()


def test_the_gallery_shows_the_oldest_first_and_the_rest_by_place(cohort, rita):
    pks = accessions_of(make_images(cohort, 130))
    client = client_of(rita)

    page = client.get(f"/review/{cohort.pk}/")
    assert tiles(page) == pks[:60]
    more = re.search(r'data-next="([^"]+)"', page.content.decode())[1].replace("&amp;", "&")
    second = client.get(f"{more}&part=tiles")
    assert tiles(second) == pks[60:120]
    assert b"<html" not in second.content
    last = re.search(r'data-next="([^"]+)"', second.content.decode())[1].replace("&amp;", "&")
    assert tiles(client.get(last)) == pks[120:]


def test_a_page_of_the_gallery_takes_a_bounded_number_of_queries(cohort, rita, django_assert_max_num_queries):
    make_images(cohort, 60, structured={"sex": "male"})
    client = client_of(rita)
    client.get(f"/review/{cohort.pk}/")

    with django_assert_max_num_queries(36):
        client.get(f"/review/{cohort.pk}/")


def test_rita_judges_by_script_and_takes_it_back(cohort, rita):
    pks = accessions_of(make_images(cohort, 3))
    client = client_of(rita)

    answer = decide(client, cohort, act="rejected:quality", reason="Blurred", current=pks[0])
    review = answer.json()["reviews"][str(pks[0])]

    kept = Review.objects.get(pk=review)
    assert (kept.decision, kept.reason_code, kept.reason) == ("rejected", "quality", "Blurred")
    assert tiles(client.get(f"/review/{cohort.pk}/")) == pks[1:]
    assert tiles(client.get(f"/review/{cohort.pk}/?view=rejected")) == pks[:1]
    undone = client.post(f"/review/{cohort.pk}/undo/", {"reviews": [review]}, headers={"accept": "application/json"})
    assert undone.status_code == 200
    assert tiles(client.get(f"/review/{cohort.pk}/")) == pks


def test_rita_judges_without_script(cohort, rita):
    pks = accessions_of(make_images(cohort, 5))
    client = client_of(rita)
    here = f"/review/{cohort.pk}/?view=waiting"

    answer = client.post(
        f"/review/{cohort.pk}/decide/", {"act": "accepted", "accessions": pks[:2], "current": pks[4], "next": here}
    )
    assert answer.status_code == 302
    assert answer.url == here
    assert "Accepted: 2 images." in client.get(here).content.decode()
    client.post(f"/review/{cohort.pk}/decide/", {"act": "flagged", "current": pks[2]})
    client.post(f"/review/{cohort.pk}/decide/", {"act": "accept-shown", "shown": pks[3:], "current": pks[4]})

    states = dict(Accession.objects.values_list("pk", "review_state"))
    assert [states[pk] for pk in pks] == ["accepted", "accepted", "flagged", "accepted", "accepted"]


def test_what_cannot_be_judged_is_told_in_words(cohort, rita):
    (pk,) = accessions_of(make_images(cohort, 1))
    client = client_of(rita)

    nothing = decide(client, cohort, act="accepted")
    assert (nothing.status_code, "No image is chosen" in nothing.json()["words"]) == (400, True)
    unknown = decide(client, cohort, act="perhaps", current=pk)
    assert (unknown.status_code, "perhaps is no decision" in unknown.json()["words"]) == (400, True)
    elsewhere = accessions_of(make_images(make_cohort(make_user("bob"), name="Bob's"), 1))
    assert decide(client, cohort, act="accepted", current=elsewhere[0]).status_code == 404
    assert client.post(f"/review/{cohort.pk}/decide/", {"act": "perhaps", "current": pk}).status_code == 302
    away = {"act": "accepted", "current": pk, "next": "https://elsewhere.example/"}
    assert client.post(f"/review/{cohort.pk}/decide/", away).url == f"/review/{cohort.pk}/"


def test_the_second_reader_does_not_learn_what_the_first_said(cohort, rita):
    Cohort.objects.filter(pk=cohort.pk).update(readers=2)
    ruth = make_reviewer("ruth", cohort)
    first, second = accessions_of(make_images(cohort, 2))
    record_reviews(accession_ids=[first], reviewer=rita, decision="flagged", reason_code="text", reason="A name tag")
    hers = client_of(ruth)

    # Rita has done her part; for Ruth both wait, and nothing tells them apart.
    assert tiles(client_of(rita).get(f"/review/{cohort.pk}/")) == [second]
    page = hers.get(f"/review/{cohort.pk}/")
    assert tiles(page) == [first, second]
    assert 'data-state="flagged"' not in page.content.decode()
    assert tiles(hers.get(f"/review/{cohort.pk}/?view=flagged")) == []
    for address in (f"/review/{cohort.pk}/{first}/", f"/accessions/{first}/"):
        shown = hers.get(address).content.decode()
        assert "A name tag" not in shown
        assert "Rita" not in shown
        assert "once you have decided" in shown
    assert "Flagged" not in hers.get(f"/accessions/{first}/").content.decode()
    # Alice, who owns it, sees what was said.
    assert "A name tag" in client_of(cohort.creator).get(f"/accessions/{first}/").content.decode()

    decide(hers, cohort, act="accepted", current=first)

    assert "A name tag" in hers.get(f"/accessions/{first}/").content.decode()


def test_the_panel_shows_lesion_patient_and_lookalikes(cohort, rita):
    images = make_images(cohort, 6)
    pks = accessions_of(images)
    lesion = Lesion.objects.create(public_id="IL_0000001", contributor=cohort.contributor, private_id="L1")
    Accession.objects.filter(pk__in=pks[:3]).update(lesion=lesion)
    for image, hash_ in zip(images, (0b1111, 1 << 40, 1 << 41, 0b1110, (1 << 30) - 1, 0b1), strict=True):
        image.perceptual_hash = hash_
        image.save()
    stranger = make_images(make_cohort(make_user("bob"), name="Bob's"), 1)[0]
    stranger.perceptual_hash = 0b1111
    stranger.save()

    panel = client_of(rita).get(f"/review/{cohort.pk}/{pks[0]}/").content.decode()

    alike, same = panel.split("<h3>Same lesion</h3>")
    assert re.findall(r"(\d+) of 64 bits differ", alike) == ["1", "3", "5", "5"]
    assert same.count("review-neighbour") == 3  # the list, and two
    staff = client_of(make_user("sam")).get(f"/review/{cohort.pk}/{pks[0]}/").content.decode()
    assert re.findall(r"(\d+) of 64 bits differ", staff) == ["0", "1", "3", "5", "5"]
    assert "Bob&#x27;s" in staff


def test_the_panel_shows_what_is_known(cohort, rita):
    (image,) = make_images(cohort, 1)
    accession = Accession.objects.get(image=image)
    describe_accessions(changes=[Change(accession, {"sex": "female"})], creator=cohort.creator)

    assert "female" in client_of(rita).get(f"/review/{cohort.pk}/{accession.pk}/").content.decode()


def test_the_panel_warns_of_text_in_the_pixels_and_rita_may_still_accept(cohort, rita):
    suspected, plain = make_images(cohort, 2)
    why = "Text may be burned into its pixels: ultrasound devices write names into the picture."
    Image.objects.filter(pk=suspected.pk).update(text_suspected=why)
    first, second = accessions_of([suspected, plain])
    client = client_of(rita)
    panel = client.get(f"/review/{cohort.pk}/{first}/").content.decode()
    assert re.search(r'notice-warning">(?:(?!</div>).)*' + re.escape(why), panel, re.DOTALL)
    assert "notice-warning" not in client.get(f"/review/{cohort.pk}/{second}/").content.decode()
    assert why in client.get(f"/accessions/{first}/").content.decode()
    answer = decide(client, cohort, act="accepted", current=first)
    assert Review.objects.get(pk=answer.json()["reviews"][str(first)]).decision == "accepted"


def test_the_submission_lists_the_files_of_its_original(cohort):
    slices = dicoms.series(dicoms.along([0, 3, 6]))
    deliver(cohort.creator, cohort, make_zip([(f"t1/{place}.dcm", data) for place, data in enumerate(slices)]))
    run_jobs()
    accession = Accession.objects.get()
    page = client_of(cohort.creator).get(f"/accessions/{accession.pk}/").content.decode()
    assert all(f"{place:06}.dcm" in page and sha256_of(data) in page for place, data in enumerate(slices))
    assert "3 files" in page
    assert f" {accession.image.depth} pixels, DICOM" in page
    assert client_of(make_user("mallory")).get(f"/accessions/{accession.pk}/").status_code == 404


def test_boxes_are_offered_for_pictures_alone(cohort):
    image = make_images(cohort, 1)[0]
    address = f"/accessions/{image.accession.pk}/"
    client = client_of(cohort.creator)
    assert f"{address}redact/" in client.get(address).content.decode()
    Image.objects.filter(pk=image.pk).update(kind="volume")
    assert f"{address}redact/" not in client.get(address).content.decode()


def test_alice_sees_outcome_and_reason_on_her_submission(cohort, rita):
    (pk,) = accessions_of(make_images(cohort, 1, names=["IMG_1.jpg"]))
    record_reviews(
        accession_ids=[pk], reviewer=rita, decision="rejected", reason_code="identifiable", reason="<b>Her</b> face"
    )

    page = client_of(cohort.creator).get(f"/accessions/{pk}/").content.decode()

    assert "IMG_1.jpg" in page
    assert "A person can be recognised" in page
    assert "&lt;b&gt;Her&lt;/b&gt; face" in page
    assert "Rejected" in page


def test_names_are_escaped(cohort, rita):
    (pk,) = accessions_of(make_images(cohort, 1, names=['"><script>alert(1)</script>.jpg']))

    for address in (f"/review/{cohort.pk}/", f"/review/{cohort.pk}/{pk}/", f"/accessions/{pk}/"):
        assert b"<script>alert" not in client_of(rita).get(address).content


def redact(client, pk, *boxes, reason="A name tag."):
    columns = list(zip(*boxes, strict=True)) if boxes else [[], [], [], []]
    return client.post(
        f"/accessions/{pk}/redact/",
        {**dict(zip(("x", "y", "width", "height"), columns, strict=True)), "reason": reason},
    )


def test_boxes_are_given_as_numbers(cohort):
    (pk,) = accessions_of(make_images(cohort, 1))
    client = client_of(cohort.creator)
    assert client.get(f"/accessions/{pk}/redact/").content.count(b'name="width"') == 4  # three, and the pattern

    answer = redact(client, pk, (1, 2, 30, 40), ("", "", "", ""), (5, 5, 5, 5))

    assert answer.url == f"/accessions/{pk}/"
    version = FileVersion.objects.get(state="waiting")
    assert (version.redactions, version.reason) == ([[1, 2, 30, 40], [5, 5, 5, 5]], "A name tag.")
    assert "2 areas are blacked out" in client.get(f"/accessions/{pk}/").content.decode()
    assert client.get(f"/accessions/{pk}/redact/").status_code == 409


@pytest.mark.parametrize(
    ("box", "reason", "words"),
    [
        ((1, 2, 3000, 4), "A face.", "Box 1 is not inside the picture, which has 600 by 450 pixels."),
        (("one", 2, 3, 4), "A face.", "Box 1 is not inside the picture"),
        ((1, 2, 3, 4), "", "A reason is missing."),
        (None, "A face.", "Draw a box over what must not be seen."),
    ],
)
def test_what_was_typed_stays_when_it_is_refused(box, reason, words, cohort):
    (pk,) = accessions_of(make_images(cohort, 1))
    client = client_of(cohort.creator)

    answer = redact(client, pk, *([box] if box else []), reason=reason)

    assert answer.status_code == 400
    page = answer.content.decode()
    assert words in page
    assert reason in page
    if box:
        assert f'name="width" value="{box[2]}"' in page


def test_of_a_replaced_file_the_new_one_is_judged(cohort, rita):
    (image,) = make_images(cohort, 1, visibility="public")
    accession = Accession.objects.get(image=image)
    assert tiles(client_of(rita).get(f"/review/{cohort.pk}/")) == []  # what is published does not wait
    FileVersion.objects.create(
        accession=accession,
        number=2,
        kind="replacement",
        state="candidate",
        name="b.jpg",
        creator=cohort.creator,
        facts={"text_suspected": "Text may be burned into its pixels: it is a photograph."},
    )

    page = client_of(rita).get(f"/review/{cohort.pk}/").content.decode()

    assert f'data-web="/accessions/{accession.pk}/versions/2/web/"' in page
    assert "This is a new file (version 2)" in page
    panel = client_of(rita).get(f"/review/{cohort.pk}/{accession.pk}/").content.decode()
    assert "it is a photograph" in panel
