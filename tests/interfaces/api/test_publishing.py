"""Publication, groups and changes by API, as programs do it."""

import pytest

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.models import Accession
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.interfaces.api.world import by_session, nobody

pytestmark = pytest.mark.django_db
OLD = {"age": 87, "age_approx": 85, "sex": "female"}


def test_from_the_dry_run_to_a_group_and_back():
    alice, charlie, rita = (make_user(name) for name in ("alice", "charlie", "rita"))
    cohort = make_cohort(alice)
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    (image, _) = make_images(cohort, 2, structured=lambda at: OLD if at == 0 else {"sex": "male"})
    as_alice, as_charlie, as_rita = (by_session(user) for user in (alice, charlie, rita))
    group = as_alice.post("groups/", {"name": "Panel"}).json()["id"]
    given = {"visibility": "groups", "groups": [group]}
    preview = as_alice.post(f"cohorts/{cohort.pk}/publish-requests/preview/", given).json()
    assert (preview["number"], preview["groups"], preview["not_judged"]) == (2, ["Panel"], 2)
    assert {"values": "85, female", "patients": 1, "images": 1} in preview["rare"]
    assert as_charlie.get(f"groups/{group}/").status_code == 404
    made = as_alice.post(f"cohorts/{cohort.pk}/publish-requests/", given).json()
    assert (made["waiting"], made["groups"]) == (2, [{"id": group, "name": "Panel"}])
    assert as_rita.post(f"publish-requests/{made['id']}/accept/", {}).json()["state"] == "publishing"
    run_jobs()
    done = as_alice.get(f"publish-requests/{made['id']}/").json()
    assert (done["state"], done["published"], done["waiting"]) == ("published", 2, 0)
    items = as_alice.get(f"publish-requests/{made['id']}/items/?outcome=waiting").json()
    assert items["count"] == 0
    image.refresh_from_db()
    assert as_charlie.get(f"images/{image.public_id}/").status_code == 404
    add_member(scope=Accession.objects.first().image.placements.get(scope=group).scope, user=charlie, role=Role.VIEWER)
    assert as_charlie.get(f"images/{image.public_id}/").json()["visibility"] == "groups"
    assert as_charlie.get("images/").json()["count"] == 2
    assert as_charlie.get("images/?sex=male").json()["count"] == 1
    [change] = as_charlie.get(f"images/{image.public_id}/changes/").json()
    assert (change["kind"], change["words"]) == ("published", "Published for named groups.")
    dry = as_alice.post(f"cohorts/{cohort.pk}/take-back/", {"reason": "A mistake.", "dry_run": True}).json()
    assert dry == {"done": 0, "under_way": 0, "would_be": 2}
    assert as_alice.post(f"cohorts/{cohort.pk}/take-back/", {"reason": "A mistake."}).json()["done"] == 2
    assert as_charlie.get("images/").json()["count"] == 0
    assert as_alice.ask("DELETE", f"groups/{group}/").status_code == 204


def test_the_change_log_tells_the_public_what_is_public_and_nothing_else():
    alice, sam = make_user("alice"), make_user("sam")
    cohort = make_cohort(alice, name="Secret cohort")
    (image,) = make_images(cohort, 1, structured=OLD, names=["mrs_smith.jpg"])
    as_alice, as_sam = by_session(alice), by_session(sam)
    made = as_alice.post(f"cohorts/{cohort.pk}/publish-requests/", {"visibility": "public"}).json()
    as_sam.post(f"publish-requests/{made['id']}/accept/", {})
    run_jobs()
    image.refresh_from_db()
    accession = Accession.objects.select_related("description").get(image=image)
    corrected = {"age": 51, "age_approx": 50, "sex": "male"}
    describe_accessions(changes=[Change(accession, corrected)], creator=alice, reason="Mistyped.")
    log = nobody().get(f"images/{image.public_id}/changes/").json()
    assert [change["kind"] for change in log] == ["metadata", "published"]
    assert log[0]["changes"] == {"age_approx": [85, 50], "sex": ["female", "male"]}
    assert log[0]["reason"] == "Mistyped."
    told = str([{name: value for name, value in change.items() if name != "at"} for change in log])
    for private in ("Secret cohort", "mrs_smith", "alice", "87", "51"):
        assert private not in told
    as_alice.post(f"images/{image.public_id}/withdraw/", {"reason": "Consent has ended."})
    gone = nobody().get(f"images/{image.public_id}/")
    assert (gone.status_code, gone.json()["code"]) == (410, "withdrawn")
    assert "Consent has ended." in gone.json()["message"]
    assert nobody().get(f"images/{image.public_id}/changes/").status_code == 410
    assert nobody().get(f"images/{image.key}/").status_code == 404
    assert "withdrawn" in [change["kind"] for change in as_alice.get(f"images/{image.public_id}/changes/").json()]
