"""Publication as people do it: looking first, named groups, second readers, what became of each image, taking back."""

import re

import pytest
from django.core import mail

from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.models import Invitation, Scope, Withdrawal
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.access.queries import ANYBODY, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Accession, PublishItem, PublishRequest
from medtheca.domains.provenance.reviewing import record_reviews
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import run_jobs
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db
RARE = {"age": 87, "age_approx": 85, "sex": "female", "diagnosis_1": "Malignant"}


def words(answer):
    text = re.sub(r"<(svg|style|script).*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))


def ids(images):
    return list(Accession.objects.filter(image__in=images).order_by("pk").values_list("pk", flat=True))


def reviewer(cohort, name="rita"):
    rita = make_user(name)
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    return rita


def test_alice_looks_before_she_asks(as_alice, cohort):
    make_images(cohort, 3, structured=RARE)
    answer = as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all", "check": "1"})
    text = words(answer)
    assert "3 images would become visible to everybody" in text
    assert "85, female, Malignant: 3 patients" in text
    assert "Ask for publication of 3 images" in text
    assert not re.search(r"\b87\b", text)
    assert not PublishRequest.objects.exists()


def test_a_group_sees_what_is_published_for_it_and_nobody_else_does(as_alice, as_charlie, as_sam, nobody, cohort):
    alice = User.objects.get(email="alice@example.org")
    charlie = User.objects.get(email="charlie@example.org")
    group = create_group(creator=alice, name="Reading panel")
    other = create_group(creator=make_user("bob"), name="Bob's secret circle")
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    (image,) = make_images(cohort, 1, structured={"sex": "female"})
    page = words(as_alice.get(f"/cohorts/{cohort.pk}/publish/"))
    assert "Reading panel" in page
    assert other.name not in page
    form = {"visibility": "groups", "which": "all"}
    assert "No group is named" in words(as_alice.post(f"/cohorts/{cohort.pk}/publish/", form))
    answer = as_alice.post(f"/cohorts/{cohort.pk}/publish/", {**form, "groups": [group.pk]})
    request = PublishRequest.objects.get()
    assert answer.headers["Location"] == f"/publish-requests/{request.pk}/"
    assert "the people of Reading panel" in words(as_sam.get(answer.headers["Location"]))
    as_sam.post(f"/publish-requests/{request.pk}/accept/")
    run_jobs()
    image.refresh_from_db()
    for seeing in (as_alice, as_charlie):
        assert seeing.get(f"/images/{image.public_id}/").status_code == 200
        assert "1 image" in words(seeing.get("/gallery/?sex=female"))
        assert seeing.get("/api/v2/images/").json()["results"][0]["visibility"] == "groups"
    assert "Named groups" in words(as_charlie.get(f"/images/{image.public_id}/"))
    as_bob = browser_of(User.objects.get(email="bob@example.org"))
    for blind in (nobody, as_bob):
        assert blind.get(f"/images/{image.public_id}/").status_code == 404
        assert blind.get("/api/v2/images/").json()["count"] == 0
    as_charlie.post(f"/groups/{group.pk}/", {"action": "leave"})
    assert as_charlie.get(f"/images/{image.public_id}/").status_code == 404


def test_a_cohort_with_two_readers_waits_for_the_second(as_alice, cohort):
    cohort.readers = 2
    cohort.save()
    rita, rob = (browser_of(reviewer(cohort, name)) for name in ("rita", "rob"))
    make_images(cohort, 2)
    as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all"})
    request = PublishRequest.objects.get()
    answer = rita.post(f"/publish-requests/{request.pk}/accept/", follow=True)
    assert "need a second reader" in words(answer)
    assert rita.post(f"/publish-requests/{request.pk}/accept/").status_code == 409
    assert not visible_images(ANYBODY).exists()
    rob.post(f"/publish-requests/{request.pk}/accept/")
    run_jobs()
    assert visible_images(ANYBODY).count() == 2


def test_what_review_rejected_or_flagged_is_left_out_and_said(as_alice, cohort):
    images = make_images(cohort, 4)
    rejected, flagged, *_ = ids(images)
    rita = reviewer(cohort)
    as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all"})
    record_reviews(accession_ids=[rejected], reviewer=rita, decision="rejected", reason_code="identifiable")
    record_reviews(accession_ids=[flagged], reviewer=rita, decision="flagged", reason_code="text")
    request = PublishRequest.objects.get()
    browser_of(rita).post(f"/publish-requests/{request.pk}/accept/")
    page = as_alice.get(f"/publish-requests/{request.pk}/")
    assert "0 of 4" in words(page)
    assert 'hx-trigger="every 2s"' in page.content.decode()
    run_jobs()
    assert visible_images(ANYBODY).count() == 2
    text = words(as_alice.get(f"/publish-requests/{request.pk}/"))
    assert "2 images were published, 2 left out" in text
    only = words(as_alice.get(f"/publish-requests/{request.pk}/?outcome=not_accepted"))
    assert only.count("Left out: not accepted") == 3  # the filter, and two rows
    assert as_alice.get(f"/publish-requests/{request.pk}/?outcome=x").status_code == 400
    assert dict(PublishItem.objects.values_list("accession", "outcome"))[rejected] == "not_accepted"


def test_signed_in_images_can_be_asked_for_again_for_everybody(as_alice, as_sam, cohort):
    make_images(cohort, 1)
    for visibility in ("signed_in", "public"):
        as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": visibility, "which": "all"})
        as_sam.post(f"/publish-requests/{PublishRequest.objects.latest('pk').pk}/accept/")
        run_jobs()
    assert visible_images(ANYBODY).count() == 1
    answer = as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all"})
    assert "No image of the cohort is ready" in words(answer)


def test_many_images_are_taken_back_with_a_reason_and_a_typed_number(as_alice, nobody, cohort):
    images = make_images(cohort, 5, visibility="public")
    form = {"how": "withdraw", "which": "chosen", "accessions": ids(images[:3]), "reason": "Consent has ended."}
    answer = as_alice.post(f"/cohorts/{cohort.pk}/take-back/", form)
    assert "Type 3 to withdraw 3 images for good" in words(answer)
    assert not Withdrawal.objects.exists()
    as_alice.post(f"/cohorts/{cohort.pk}/take-back/", {**form, "confirmation": "3"})
    assert Withdrawal.objects.count() == 3
    tombstone = nobody.get(f"/images/{images[0].public_id}/")
    assert tombstone.status_code == 410
    assert "Consent has ended." in words(tombstone)
    as_alice.post(f"/cohorts/{cohort.pk}/take-back/", {"how": "unpublish", "which": "all", "reason": "A mistake."})
    assert not visible_images(ANYBODY).exists()
    # What is private is not told of at all, whatever it was.
    assert nobody.get(f"/images/{images[4].public_id}/").status_code == 404


def test_a_tombstone_tells_reason_and_date_and_nothing_private(as_alice, nobody, cohort):
    cohort.name = "Secret cohort"
    cohort.save()
    (image,) = make_images(cohort, 1, visibility="public", structured=RARE, names=["mrs_smith.jpg"])
    page = as_alice.get(f"/images/{image.public_id}/withdraw/")
    assert "Public where the image was" in words(page)
    as_alice.post(f"/images/{image.public_id}/withdraw/", {"reason": "Wrong patient.", "confirmation": image.public_id})
    answer = nobody.get(f"/images/{image.public_id}/")
    assert answer.status_code == 410
    text = answer.content.decode()
    assert "Wrong patient." in text
    for private in ("Secret cohort", "mrs_smith", "Institution", "Malignant", "alice", str(image.key)):
        assert private not in text
    # Asked for by its key, which was never public, there is nothing.
    assert nobody.get(f"/images/{image.key}/").status_code == 404


def test_what_was_withdrawn_from_groups_or_before_publication_has_no_tombstone(as_alice, nobody, cohort):
    alice = User.objects.get(email="alice@example.org")
    grouped, signed_in = make_images(cohort, 1, visibility="signed_in"), make_images(cohort, 1, visibility="signed_in")
    group = create_group(creator=alice, name="Panel")
    set_visibility(image_ids=[grouped[0].pk], visibility=Visibility.GROUPS, group_ids=[group.pk])
    for (image,) in (grouped, signed_in):
        as_alice.post(
            f"/images/{image.public_id}/withdraw/", {"reason": "Not for you.", "confirmation": image.public_id}
        )
        assert nobody.get(f"/images/{image.public_id}/").status_code == 404


def test_groups_are_made_joined_and_left(as_alice, as_charlie, nobody, cohort):
    as_alice.post("/groups/", {"name": "Panel <b>7</b>"})
    group = Scope.objects.get(kind="group")
    page = as_alice.get(f"/groups/{group.pk}/")
    assert "Panel &lt;b&gt;7&lt;/b&gt;" in page.content.decode()
    assert as_charlie.get(f"/groups/{group.pk}/").status_code == 404
    assert "already" not in words(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda function, **_: function())
        as_alice.post(f"/groups/{group.pk}/", {"action": "invite", "email": "charlie@example.org", "role": "viewer"})
    link = re.search(r"/groups/join/\S+/", mail.outbox[-1].body).group()
    assert "Log in to join" in words(nobody.get(link))
    assert as_charlie.post(link).headers["Location"] == f"/groups/{group.pk}/"
    assert Invitation.objects.get().accepted
    assert as_charlie.get(link).status_code == 404
    page = words(as_charlie.get(f"/groups/{group.pk}/"))
    assert "Leave the group" in page
    assert "Send an invitation" not in page
    assert "alice@example.org" not in page
    assert as_charlie.post(f"/groups/{group.pk}/", {"action": "rename", "name": "Mine"}).status_code == 403
    refused = as_alice.post(f"/groups/{group.pk}/", {"action": "leave"})
    assert refused.status_code == 409
    assert "last owner" in words(refused)
    as_charlie.post(f"/groups/{group.pk}/", {"action": "leave"})
    assert as_charlie.get(f"/groups/{group.pk}/").status_code == 404
    as_alice.post(f"/groups/{group.pk}/", {"action": "delete"})
    assert not Scope.objects.filter(kind="group").exists()


def test_a_group_that_is_asked_for_cannot_be_deleted(as_alice, cohort):
    make_images(cohort, 1)
    group = create_group(creator=User.objects.get(email="alice@example.org"), name="Panel")
    as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "groups", "groups": [group.pk], "which": "all"})
    refused = as_alice.post(f"/groups/{group.pk}/", {"action": "delete"})
    assert (refused.status_code, Scope.objects.filter(pk=group.pk).exists()) == (409, True)


def test_another_kind_of_invitation_opens_no_group(as_charlie, cohort):
    from medtheca.domains.access.invitations import invite

    _, secret = invite(scope=cohort.scope, email="charlie@example.org", role=Role.VIEWER, by=cohort.creator)
    assert as_charlie.get(f"/groups/join/{secret}/").status_code == 404
