"""Files of items by HTTP: for the archive's people, kept and not run, and closed when they are taken out."""

import secrets

import pytest

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.archives.items import create_item, put_values, remove_values, trash_items
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_token, make_user
from tests.factories.archives import make_archive, make_socket
from tests.factories.storage import keep

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Case:
    """Alice's item with a report; her archive has an uploader, a user and an onlooker."""

    def __init__(self):
        tag = secrets.token_hex(4)
        self.people = {name: make_user(f"{name}-{tag}") for name in ("alice", "una", "vic", "olaf", "mallory")}
        self.archive = make_archive(self.people["alice"], title=f"Reports {tag}")
        for name, role in (("una", Role.UPLOADER), ("vic", Role.VIEWER), ("olaf", Role.ONLOOKER)):
            add_member(scope=self.archive.scope, user=self.people[name], role=role)
        self.socket = make_socket(f"Report {tag}", "PDF")
        self.item = create_item(archive=self.archive, creator=self.people["alice"])
        blob = keep(PDF + tag.encode())
        value = create_value(socket=self.socket, creator=None, blob=blob, filename="Befund ä.pdf")
        put_values(item=self.item, actor=self.people["alice"], values=[value])
        self.bytes = PDF + tag.encode()
        self.path = f"/files/items/{self.item.pk}/{value.pk}/report.pdf"

    def by(self, name):
        return {"Authorization": f"Bearer {make_token(self.people[name], 'read')[1]}"} if name else {}


@pytest.fixture
def case(cases, world):
    return Case()


def test_the_archives_people_take_it_onlookers_do_not_and_others_find_nothing(case, world):
    expected = {"alice": 200, "una": 200, "vic": 200, "olaf": 403, "mallory": 404, "": 404}
    found = {name: world.request("GET", case.path, headers=case.by(name)).status for name in expected}
    assert found == expected


def test_it_comes_as_it_is_and_in_parts_and_no_browser_runs_it(case, world):
    answer = world.request("GET", case.path, headers=case.by("vic"))
    assert answer.content == case.bytes
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "Befund%20%C3%A4.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    part = world.request("GET", case.path, headers={**case.by("vic"), "Range": "bytes=0-7"})
    assert (part.status, part.content) == (206, case.bytes[:8])


@pytest.mark.parametrize("how", ["taken out", "trashed"])
def test_what_the_item_has_no_more_is_not_there(case, world, how):
    if how == "taken out":
        remove_values(item=case.item, actor=case.people["alice"], sockets=[case.socket])
    else:
        trash_items(archive=case.archive, actor=case.people["alice"], item_ids=[case.item.pk])
    assert world.request("GET", case.path, headers=case.by("alice")).status == 404


def test_addresses_that_are_none(case, world):
    for path in (case.path.replace("report.pdf", "a/b.pdf"), f"/files/items/{case.item.pk}/0/x.pdf"):
        assert world.request("GET", path, headers=case.by("alice")).status == 404
