"""A contributor and two curators, by API alone: from dry run to public, corrected, handed over, a patient erased."""

import io
import re
import time
import zipfile

import httpx
from tusclient.client import TusClient

from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.generators import clinic


def as_zip(entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in entries:
            archive.writestr(path, data)
    return packed.getvalue()


def send(archive, person, data, **about):
    """Upload by the tus client as others use it; return the upload's id."""
    client = TusClient(f"{archive.url}/uploads/tus/", headers={"Authorization": f"Bearer {person.secret}"})
    uploader = client.uploader(file_stream=io.BytesIO(data), chunk_size=1 << 20, metadata=about)
    uploader.upload()
    return uploader.url.rstrip("/").rsplit("/", 1)[-1]


def test_a_contributor_and_two_curators(archive, program):
    sam, alice, rita, rob, anna = (
        program("sam", staff=True),
        *(program(name) for name in ("alice", "rita", "rob", "anna")),
    )
    delivered = clinic.pictures()
    dry_run(alice, delivered[:12])
    contributor, cohort = begin(alice)
    name_curators(sam, contributor, cohort, [rita, rob])
    deliver(archive, alice, cohort, delivered)
    describe(alice, cohort)
    accessions = alice.walk(f"accessions/?cohort={cohort}&limit=100")
    assert len(accessions) == clinic.NUMBER
    review(accessions, rita, rob)
    publish(alice, rita, cohort)
    public = httpx.get(f"{archive.url}/api/v2/images/?limit=1").json()
    assert public["count"] == clinic.NUMBER
    replace(archive, alice, rita, rob, accessions[0]["id"])
    correct(archive, alice, accessions[1]["id"])
    hand_over(archive, alice, anna, contributor)
    erase(archive, anna, sam, accessions[4]["id"])
    assert archive.command("check").strip()


def dry_run(alice, entries):
    """What would become of files, before anything is there."""
    files = [("files", ("few.zip", as_zip([*entries, ("notes.txt", b"Nothing.")]), "application/zip"))]
    files.append(("metadata", ("clinic.csv", clinic.sheet(), "text/csv")))
    begun = alice.ask("POST", "inspections/", files=files)
    found = alice.until(f"inspections/{begun['id']}/", {"done"}, {"failed"})
    assert found["report"]["counts"]["accepted"] == 12, found["report"]["counts"]
    assert alice.get("accessions/")["count"] == 0
    assert alice.get("uploads/")["count"] == 0


def begin(alice):
    contributor = alice.post("contributors/", {"institution_name": "Exampleton", "default_attribution": "Exampleton"})
    agreement = alice.get(f"contributors/{contributor['id']}/agreement/")
    alice.post(f"contributors/{contributor['id']}/agreement/", {"version": agreement["version"]})
    cohort = alice.post(
        "cohorts/",
        {
            "contributor": contributor["id"],
            "name": "Pigmented lesion clinic",
            "default_copyright_license": "CC-BY",
            "default_attribution": "Dermatology, Exampleton",
        },
    )
    alice.ask("PATCH", f"cohorts/{cohort['id']}/", {"consent_basis": "Ethics board of Exampleton, 2026-17"})
    alice.post(f"cohorts/{cohort['id']}/attest/", {})
    return contributor["id"], cohort["id"]


def name_curators(sam, contributor, cohort, curators):
    """Staff name the reviewers, and ask that two of them accept each image."""
    for curator in curators:
        sam.ask("PUT", f"contributors/{contributor}/members/{curator.id}/", {"role": "reviewer"})
    sam.ask("PATCH", f"cohorts/{cohort}/", {"readers": 2})


def deliver(archive, alice, cohort, entries):
    upload = send(archive, alice, as_zip(entries), filename="clinic.zip", cohort=str(cohort))
    found = alice.until(f"uploads/{upload}/", {"done"}, {"refused"})
    assert found["summary"]["accepted"] == clinic.NUMBER, found


def describe(alice, cohort):
    path = f"cohorts/{cohort}/metadata-files/?name=clinic.csv&apply_when_ready=false"
    file = alice.ask("POST", path, content=clinic.sheet(), headers={"Content-Type": "text/csv"})
    here = f"metadata-files/{file['id']}/"
    found = alice.until(here, {"invalid"}, {"applied", "ready"})
    told = {(problem["line"], problem["column"], problem["code"]) for problem in found["report"]["problems"]}
    assert {(fault.line, fault.told_at or fault.column, fault.code) for fault in clinic.FAULTS} <= told
    assert len(clinic.FAULTS) >= 15
    errors = alice.get(f"{here}errors.csv").text
    assert "Nevvus" in errors
    alice.post(
        f"{here}edits/", {"cells": {str(fault.line): {fault.column: clinic.right(fault)} for fault in clinic.FAULTS}}
    )
    alice.until(here, {"ready"}, {"applied", "invalid"})
    preview = alice.get(f"{here}preview/")
    assert preview["count"] == clinic.NUMBER
    alice.post(f"{here}apply/", {})
    alice.until(here, {"applied"})
    # Undone, everything is as before; applied again, it is there.
    alice.post(f"{here}undo/", {})
    alice.until(here, {"undone"})
    again = alice.ask("POST", path, content=clinic.sheet(faulty=False), headers={"Content-Type": "text/csv"})
    alice.until(f"metadata-files/{again['id']}/", {"ready"}, {"invalid"})
    alice.post(f"metadata-files/{again['id']}/apply/", {})
    alice.until(f"metadata-files/{again['id']}/", {"applied"})


def review(accessions, rita, rob):
    """Two curators accept everything but one picture, which one of them rejects with a reason."""
    ids = [row["id"] for row in accessions]
    everything = [{"id": pk, "value": True} for pk in ids]
    rita.post("accessions/create-review-bulk/", everything)
    rob.post("accessions/create-review-bulk/", everything[:-1])
    rob.post(f"accessions/{ids[-1]}/reviews/", {"decision": "rejected", "reason_code": "text"})
    assert rob.get(f"accessions/{ids[-1]}/reviews/")
    # Looked at again, it was only a scale bar.
    rob.post(f"accessions/{ids[-1]}/reviews/", {"decision": "accepted"})


def publish(alice, rita, cohort):
    request = alice.post(f"cohorts/{cohort}/publish-requests/", {"visibility": "public"})
    rita.post(f"publish-requests/{request['id']}/accept/", {})
    alice.until(f"publish-requests/{request['id']}/", {"published"}, {"rejected"})


def full(archive, public_id):
    return httpx.get(f"{archive.url}/files/images/{public_id}/full")


def replace(archive, alice, rita, rob, accession):
    public_id = alice.get(f"accessions/{accession}/")["isic_id"]
    before = full(archive, public_id)
    upload = send(
        archive,
        alice,
        draw_lesion(4711, size=(300, 220)).jpeg,
        filename="better.jpg",
        accession=str(accession),
        reason="Taken again in focus.",
    )
    alice.until(f"uploads/{upload}/", {"done"}, {"refused"})
    assert full(archive, public_id).content == before.content, "a published picture stays until the new one is accepted"
    for curator in (rita, rob):
        curator.post(f"accessions/{accession}/reviews/", {"decision": "accepted"})
    # It is remembered until the news comes, which may take a moment.
    until = time.monotonic() + 15
    while full(archive, public_id).content == before.content:
        assert time.monotonic() < until, "the picture from before is still sent"
        time.sleep(0.1)
    changes = httpx.get(f"{archive.url}/api/v2/images/{public_id}/changes/").json()
    assert "Taken again in focus." in str(changes)


def correct(archive, alice, accession):
    public_id = alice.get(f"accessions/{accession}/")["isic_id"]
    change = {"metadata": {"diagnosis": "Melanoma, NOS"}}
    alice.ask("PATCH", f"images/{public_id}/metadata/", change, status=400)
    alice.ask("PATCH", f"images/{public_id}/metadata/", {**change, "reason": "Second histology."})
    seen = httpx.get(f"{archive.url}/api/v2/images/{public_id}/").json()
    assert seen["isic_id"] == public_id
    assert seen["metadata"]["clinical"]["diagnosis_1"] == "Malignant"
    assert "Second histology." in httpx.get(f"{archive.url}/api/v2/images/{public_id}/changes/").text


def hand_over(archive, alice, anna, contributor):
    alice.post(f"contributors/{contributor}/invitations/", {"email": anna.email, "role": "owner"})
    secret = invitation_to(archive, anna.email)
    anna.post("invitations/accept/", {"secret": secret})
    alice.ask("DELETE", f"contributors/{contributor}/members/{anna.id}/", status=204)
    alice.post(f"contributors/{contributor}/invitations/", {"email": anna.email, "role": "viewer"})
    anna.post("invitations/accept/", {"secret": invitation_to(archive, anna.email)})
    alice.post(f"contributors/{contributor}/transfer/", {"giver": alice.id, "taker": anna.id})
    alice.get(f"contributors/{contributor}/", status=404)
    anna.get(f"contributors/{contributor}/")


def invitation_to(archive, email):
    """The secret in the newest mail to an address."""
    mails = sorted((archive.data / "mail").rglob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for mail in mails:
        text = mail.read_text(errors="replace") if mail.is_file() else ""
        if email in text and (found := re.search(r"/invitations/([\w-]{20,})/", text.replace("=\n", ""))):
            return found[1]
    raise AssertionError(f"no mail with an invitation to {email}")


def erase(archive, anna, sam, accession):
    public_id = anna.get(f"accessions/{accession}/")["isic_id"]
    patient = anna.get(f"images/{public_id}/")["metadata"]["clinical"]["patient_id"]
    preview = anna.get(f"patients/{patient}/erasure-preview/")
    assert len(preview["images"]) == 4
    asked = anna.post("erasures/", {"patient": patient, "reason": "patient"})
    anna.post(f"erasures/{asked['id']}/confirm/", {"patient": patient}, status=(403, 409))
    sam.post(f"erasures/{asked['id']}/confirm/", {"patient": patient})
    done = sam.until(f"erasures/{asked['id']}/", {"done"}, {"declined"})
    assert done["receipt"]
    assert httpx.get(f"{archive.url}/api/v2/images/{public_id}/").status_code in {404, 410}
    assert full(archive, public_id).status_code == 404
    assert httpx.get(f"{archive.url}/api/v2/images/?limit=1").json()["count"] == clinic.NUMBER - 4
