"""A running byte plane sends the redacted copy as soon as there is one, and never again the file before it."""

import time

from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.redact import request_redaction
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators.images import jpeg


def test_the_public_copy_is_replaced_within_a_second_or_two(world):
    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice)
    deliver(alice, cohort, jpeg(size=(640, 480)), filename="photo.jpg")
    run_jobs()
    request = request_publication(cohort=cohort, requester=alice, visibility="public")
    decide_publication(request_id=request.pk, staff=make_user("sam"), accept=True)
    run_jobs()
    reference = Image.objects.get().public_id
    before = {kind: world.request("GET", f"/files/images/{reference}/{kind}") for kind in ("full", "thumbnail", "web")}
    assert {answer.status for answer in before.values()} == {200}

    pk = Accession.objects.get().pk
    request_redaction(user=alice, accession_id=pk, boxes=[[0, 0, 320, 480]], reason="A face.")
    run_jobs()
    close_decoder_pool()

    old = {answer.content for answer in before.values()}
    until = time.monotonic() + 20
    while world.request("GET", f"/files/images/{reference}/full").content in old:
        assert time.monotonic() < until, "the file from before the redaction is still sent"
        time.sleep(0.1)
    for kind, answer in before.items():
        now = world.request(
            "GET", f"/files/images/{reference}/{kind}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert now.status == 200
        assert now.content not in old
    assert world.request("GET", f"/files/images/{reference}/full.jpg").status == 404
    assert world.request("GET", f"/files/images/{reference}/full.png").headers["Content-Type"] == "image/png"
