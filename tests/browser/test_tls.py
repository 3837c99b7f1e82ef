"""A browser at `medtheca up --tls`: HTTP/2, cookies that leave by https only, and both planes behind it."""

import time

import pytest

from tests.browser.people import PASSWORD, PATIENCE
from tests.generators.images import jpeg
from tests.plugins.archive import Archive

pytestmark = pytest.mark.browser

_PROTOCOL = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
_RANGE = """
async (address) => {
    const whole = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const answer = await fetch(address, {headers: {Range: "bytes=100-299"}});
    const part = new Uint8Array(await answer.arrayBuffer());
    const same = part.every((byte, at) => byte === whole[100 + at]);
    return [answer.status, part.length, same];
}
"""
_UPLOAD = """
async ([csrf, cohort, size]) => {
    const always = {"Tus-Resumable": "1.0.0", "X-CSRFToken": csrf};
    const described = `filename ${btoa("a.bin")},cohort ${btoa(String(cohort))}`;
    const begun = await fetch("/uploads/tus/", {
        method: "POST", headers: {...always, "Upload-Length": String(size), "Upload-Metadata": described},
    });
    if (begun.status !== 201) return [begun.status, await begun.text()];
    const sent = await fetch(begun.headers.get("Location"), {
        method: "PATCH",
        headers: {...always, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        body: new Uint8Array(size),
    });
    return [sent.status, sent.headers.get("Upload-Offset")];
}
"""
_TOO_LARGE = """
async (csrf) => (await fetch("/api/v2/cohorts/", {
    method: "POST", headers: {"X-CSRFToken": csrf, "Content-Type": "application/json"}, body: "x".repeat(13000000),
})).status
"""


@pytest.fixture
def archive(chromium, tmp_path):
    running = Archive(tmp_path / "data", tls=True)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())


def image_and_cohort(archive):
    """The key of the one image there is, once the worker has made it, and the number of its cohort."""
    code = (
        "from medtheca.domains.provenance.models import Accession;"
        "print(*Accession.objects.filter(image__isnull=False).values_list('image__key', 'cohort').first() or '')"
    )
    until = time.monotonic() + 120
    while not (said := archive.command("manage", "shell", "--no-imports", "-c", code).split()):
        assert time.monotonic() < until, "nothing is converted"
    return said[0], int(said[1])


def test_a_browser_logs_in_looks_and_uploads_by_http_2(chromium, archive, tmp_path):
    words = ["--name", "Alice Example", "--accepted-terms", "--password-stdin"]
    archive.command("user", "create", "alice@example.org", *words, input=PASSWORD + "\n")
    (tmp_path / "mole.jpg").write_bytes(jpeg(size=(640, 480)))
    whose = ["--cohort", "Clinic", "--contributor", "Clinic", "--licence", "CC-BY-4.0", "--as", "alice@example.org"]
    archive.command("ingest", str(tmp_path / "mole.jpg"), *whose)

    # Its authority is not in this browser's store; who trusts it and who does not is tried in tests/contract.
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{archive.url}/accounts/login/")
    assert page.evaluate(_PROTOCOL) == "h2"
    page.fill("main [name=login]", "alice@example.org")
    page.fill("main [name=password]", PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/" not in url)

    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies["sessionid"]["secure"]
    assert cookies["csrftoken"]["secure"]
    csrf = cookies["csrftoken"]["value"]

    image, cohort = image_and_cohort(archive)
    assert page.evaluate(_RANGE, f"/files/images/{image}/full.jpg") == [206, 200, True]
    size = 40_000_000
    assert page.evaluate(_UPLOAD, [csrf, cohort, size]) == [204, str(size)]
    assert page.evaluate(_TOO_LARGE, csrf) == 413
    context.close()
