"""Sockets: who sees, defines and changes them, and what of them may change."""

import pytest
from django.db import IntegrityError, transaction

from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.sockets.access import may_define
from medtheca.domains.sockets.defining import change_socket, define_socket
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.domains.sockets.operations import create_value
from medtheca.domains.sockets.queries import socket_by_slug, usable_sockets
from medtheca.toolkit.sockets.definitions import Definition
from medtheca.toolkit.sockets.look_up_tables import check_table
from medtheca.toolkit.sockets.overlays import MOST_SEGMENTS
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db

LUNG = [{"name": "Lung", "visible": True, "voxel_value": 1}]
NODULE = {"name": "Nodule", "visible": True, "voxel_value": 2}


@pytest.fixture
def sam():
    return make_user("sam")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def archive(alice):
    return make_archive(alice)


def score(title="Score", **said):
    return Definition(title=title, kind="FLT", **said)


def problems_of(refused):
    return {problem.field: problem.message for problem in refused.value.problems}


def test_everybody_has_sockets_from_the_first_day():
    assert {socket.slug for socket in usable_sockets(None)} == {"generic-medical-image", "generic-overlay"}
    every = Socket.objects.all()
    assert len({socket.relative_path for socket in every}) == len(every) == 7
    assert socket_by_slug(None, "metrics-json-file").reserved
    for table in LookUpTable.objects.all():
        check_table(table.color, table.alpha)
        check_table(table.color_invert, table.alpha_invert)


def test_only_staff_define_what_is_everybody_s(sam, alice):
    with pytest.raises(NotAllowed, match="Only staff"):
        define_socket(creator=alice, definition=score())
    made = define_socket(creator=sam, definition=score())
    assert (made.slug, made.relative_path, made.super_kind) == ("score", "score.json", "Value")
    assert socket_by_slug(None, "score") == made


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.OWNER, True), (Role.EDITOR, True), (Role.UPLOADER, False), (Role.VIEWER, False), (None, False)],
)
def test_editors_define_sockets_of_their_archive(archive, role, may):
    bob = make_user("bob")
    if role:
        add_member(scope=archive.scope, user=bob, role=role)
    assert may_define(bob, archive.scope) is may
    if may:
        assert define_socket(creator=bob, definition=score(), scope=archive.scope).scope == archive.scope
    else:
        with pytest.raises(NotAllowed, match="Only editors of the archive"):
            define_socket(creator=bob, definition=score(), scope=archive.scope)


def test_charlie_cannot_see_the_socket_of_an_archive(archive, alice):
    charlie, bob = make_user("charlie"), make_user("bob")
    add_member(scope=archive.scope, user=bob, role=Role.VIEWER)
    define_socket(creator=alice, definition=score(), scope=archive.scope)
    assert socket_by_slug(bob, "score")
    for stranger in (charlie, None, make_user("dora", staff=False)):
        with pytest.raises(NotFound):
            socket_by_slug(stranger, "score")
    assert "score" not in {socket.slug for socket in usable_sockets(charlie)}


def test_two_archives_have_each_a_socket_of_one_title(archive, alice):
    other = make_archive(make_user("bob"), title="Other")
    first = define_socket(creator=alice, definition=score(), scope=archive.scope)
    second = define_socket(creator=other.creator, definition=score(), scope=other.scope)
    assert (first.slug, second.slug) == ("score", "score-2")
    with pytest.raises(Invalid) as refused:
        define_socket(creator=alice, definition=score("SCORE"), scope=archive.scope)
    assert set(problems_of(refused)) == {"title", "relative_path"}
    with pytest.raises(Invalid) as refused:
        define_socket(creator=alice, definition=score("Generic overlay"), scope=archive.scope)
    assert "There is a socket" in problems_of(refused)["title"]


def test_the_database_keeps_titles_and_paths_apart(sam):
    made = define_socket(creator=sam, definition=score())
    for same in ({"title": "sCORE", "relative_path": "b.json"}, {"title": "B", "relative_path": "score.json"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Socket.objects.create(slug="b", kind="FLT", store_in_database=True, **same)
    for wrong in ({"kind": "IMG"}, {"kind": "PDF"}, {"kind": "MPOI"}, {"kind": "SEG"}, {"relative_path": "../a"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Socket.objects.filter(pk=made.pk).update(**wrong)


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (Definition("", "FLT"), "title"),
        (Definition("A\nB", "FLT"), "title"),
        (Definition("A", "HOLO"), "kind"),
        (Definition("A", "FLT", relative_path="images/a.json"), "relative_path"),
        (Definition("A", "FLT", relative_path="a.txt"), "relative_path"),
        (Definition("A", "FLT", relative_path="../a.json"), "relative_path"),
        (Definition("A", "FLT", relative_path="/a.json"), "relative_path"),
        (Definition("A", "FLT", relative_path="inputs.json"), "relative_path"),
        (Definition("A", "FLT", relative_path="a/0b2e6f4c-9f0e-4f27-8f2a-0b2e6f4c9f0e.json"), "relative_path"),
        (Definition("A", "IMG", relative_path="a"), "relative_path"),
        (Definition("A", "IMG", relative_path="images/a.mha"), "relative_path"),
        (Definition("A", "SEG"), "overlay_segments"),
        (Definition("A", "HMAP", overlay_segments=LUNG), "overlay_segments"),
        (Definition("A", "SEG", overlay_segments=[NODULE]), "overlay_segments"),
        (Definition("A", "SEG", overlay_segments=[*LUNG, *LUNG]), "overlay_segments"),
        (Definition("A", "SEG", overlay_segments=[{**LUNG[0], "colour": "red"}]), "overlay_segments"),
        (Definition("A", "MPOI", store_in_database=True), "store_in_database"),
        (Definition("A", "PDF", store_in_database=True), "store_in_database"),
        (Definition("A", "PDF", schema={}), "schema"),
        (Definition("A", "STR", schema={"type": "strings"}), "schema"),
        (Definition("A", "STR", schema={"$ref": "https://example.org/a.json"}), "schema"),
        (Definition("A", "STR", schema={"$ref": "#/definitions/a"}), "schema"),
        (Definition("A", "STR", schema={"pattern": "(?=a)"}), "schema"),
        (Definition("A", "STR", schema={"$schema": "https://json-schema.org/draft/2020-12/schema"}), "schema"),
        (Definition("A", "FLT", default_value="high"), "default_value"),
        (Definition("A", "FLT", schema={"maximum": 1}, example_value=2), "example_value"),
    ],
)
def test_a_wrong_definition_says_what_is_wrong(sam, definition, field):
    with pytest.raises(Invalid) as refused:
        define_socket(creator=sam, definition=definition)
    assert set(problems_of(refused)) == {field}


def test_a_segmentation_has_64_segments_and_no_more(sam):
    many = [{"name": f"Label {n}", "visible": True, "voxel_value": n} for n in range(1, MOST_SEGMENTS + 2)]
    with pytest.raises(Invalid, match="There are 65, and 64 are the most"):
        define_socket(creator=sam, definition=Definition("A", "SEG", overlay_segments=many))
    assert (
        len(define_socket(creator=sam, definition=Definition("A", "SEG", overlay_segments=many[:-1])).overlay_segments)
        == 64
    )


def test_words_change_and_what_services_rely_on_does_not(sam):
    made = define_socket(creator=sam, definition=score())
    change_socket(socket=made, actor=sam, changes={"title": "Rating", "description": "New", "kind": "FLT"})
    made.refresh_from_db()
    assert (made.title, made.slug, made.relative_path) == ("Rating", "score", "score.json")
    with pytest.raises(Invalid) as refused:
        change_socket(
            socket=made,
            actor=sam,
            changes={"kind": "INT", "relative_path": "b.json", "store_in_database": False, "slug": "b"},
        )
    assert set(problems_of(refused)) == {"kind", "relative_path", "store_in_database", "slug"}
    with pytest.raises(NotAllowed):
        change_socket(socket=made, actor=make_user("bob"), changes={"title": "Mine"})


def test_once_there_are_values_segments_are_only_added_to_and_schemas_stay(sam):
    lungs = define_socket(creator=sam, definition=Definition("Lungs", "SEG", overlay_segments=LUNG))
    rating = define_socket(creator=sam, definition=score(schema={"maximum": 10}))
    change_socket(socket=rating, actor=sam, changes={"schema": {"maximum": 5}})
    create_value(socket=rating, creator=sam, value=4)
    with pytest.raises(Invalid) as refused:
        change_socket(socket=rating, actor=sam, changes={"schema": {"maximum": 3}})
    assert "which were checked by the schema as it is" in problems_of(refused)["schema"]
    renamed = [{**LUNG[0], "name": "Left lung"}]
    change_socket(socket=lungs, actor=sam, changes={"overlay_segments": renamed})
    _with_a_value(lungs, sam)
    with pytest.raises(Invalid) as refused:
        change_socket(socket=lungs, actor=sam, changes={"overlay_segments": LUNG})
    assert "1 means Left lung" in problems_of(refused)["overlay_segments"]
    more = [{**renamed[0], "visible": False}, NODULE]
    assert change_socket(socket=lungs, actor=sam, changes={"overlay_segments": more}).overlay_segments == more


def _with_a_value(socket, user):
    from tests.domains.sockets.test_values import image_with

    image = image_with(user, colour_space="grey", channels=1, geometry={"labels": [0, 1]})
    return create_value(socket=socket, creator=user, image=image)
