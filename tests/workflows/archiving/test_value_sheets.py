"""Values of items from spreadsheets: checked whole, looked at, applied."""

import io
import json
import tracemalloc
import uuid

import pytest

from medtheca.base.errors import Conflict, NotAllowed, NotFound
from medtheca.domains.access.operations import remove_member
from medtheca.domains.archives.enums import ImportOutcome, ImportState
from medtheca.domains.archives.holding import history_of
from medtheca.domains.archives.importing import (
    begin_applying,
    check_again,
    import_for,
    put_away,
    put_idle_away,
    rows_with,
)
from medtheca.domains.archives.items import create_items, rename_item, trash_items
from medtheca.domains.archives.models import ImportedRow, Item, ItemValue, ValuesImport
from medtheca.domains.archives.queries import items_of
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.storage.models import Blob
from medtheca.toolkit.workbooks import write_workbook
from medtheca.workflows.archiving.applying_values import apply_values
from medtheca.workflows.archiving.checking_values import _Rows, check_values
from medtheca.workflows.archiving.value_sheets import give_values
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.workflows.archiving.values import bring, held, put, sheet

pytestmark = pytest.mark.django_db(transaction=True)


def causes(given_one):
    return {(one["column"], one["code"]): one for one in given_one.report["problems"]}


def test_values_of_all_kinds_come_by_title(archive, una, sockets):
    one, two = create_items(archive=archive, creator=una, titles=["P1", "P2"])
    data = sheet(
        ["Title", "score", "COUNT", "healthy", "Report text", "grade", "sides", "notes"],
        ["P1", "0.5", "7", "yes", "=1+1", "mild", "left; right", '{"a": [1, null]}'],
        ["P2", "", "", "", "", "", "", "null"],
    )
    done = bring(archive, una, data, reason="Second reading")
    assert (done.state, done.report["applied"], done.report["counts"]["added"]) == (ImportState.APPLIED, 2, 8)
    assert held(one) == {
        "score": 0.5,
        "count": 7,
        "healthy": True,
        "report-text": "=1+1",
        "grade": "mild",
        "sides": ["left", "right"],
        "notes": {"a": [1, None]},
    }
    assert held(two) == {"notes": None}
    assert "added Score: 0.5 (Second reading)" in [change.words for change in history_of(one)]
    assert Event.objects.filter(verb="archive.values_imported", details__items=2).exists()
    assert Notification.objects.filter(kind="archive.values_imported", recipient_id=una.pk).exists()
    # The values are in the items now, and the spreadsheet need not be kept.
    assert (done.blob_id, ImportedRow.objects.count()) == (None, 0)


def test_blank_keeps_and_clear_removes(archive, una, sockets):
    (item,) = create_items(archive=archive, creator=una, titles=["P1"])
    put(item, sockets["score"], value=1.0)
    put(item, sockets["grade"], value="mild")
    put(item, sockets["count"], value=3)
    data = sheet(["id", "score", "grade", "count", "notes"], [item.pk, "", "[clear]", "4", "[clear]"])
    ready = bring(archive, una, data, apply=False)
    assert ready.report["counts"] == {"kept": 1, "cleared": 1, "replaced": 1, "made": 0, "renamed": 0}
    assert held(item) == {"score": 1.0, "grade": "mild", "count": 3}  # nothing before it is applied
    begin_applying(given=ready, actor=una)
    run_jobs()
    assert held(item) == {"score": 1.0, "count": 4}


def test_everything_that_is_wrong_is_told_at_once_by_row_and_column(archive, una, sockets):
    report = make_socket("Report", "PDF", scope=archive.scope, creator=archive.creator)
    one, _ = create_items(archive=archive, creator=una, titles=["P1", "P2"])
    elsewhere = create_items(archive=make_archive(una, title="Other"), creator=una, titles=["P9"])[0]
    data = sheet(
        ["id", "title", "score", "grade", "sides", report.slug, "generic-medical-image"],
        ["", "P1", "nine", "awful", "left", "", ""],
        ["", "P2", "ten", "mild", "top", "report.pdf", "ISIC_9999999"],
        [elsewhere.pk, "", "1", "", "", "", ""],
        ["P1", "", "1", "", "", "", ""],
        ["", "P7", "1", "", "", "", ""],
        ["", "", "1", "", "", "", ""],
        [one.pk, "", "1", "", "", "", ""],
    )
    wrong = bring(archive, una, data)
    assert wrong.state == ImportState.INVALID
    found = causes(wrong)
    assert found["score", "not_a_number"]["lines"] == [2, 3]
    assert found["score", "not_a_number"]["values"] == ["nine", "ten"]
    assert (
        "mild" in found["grade", "wrong_value"]["message"] + found["grade", "wrong_value"]["remedy"]
        if (
            "grade",
            "wrong_value",
        )
        in found
        else any(column == "grade" for column, _ in found)
    )
    assert any(column == "sides" for column, _ in found)
    assert found[report.slug, "takes_file"]["remedy"].startswith("Upload it on the item's page")
    assert found["generic-medical-image", "no_such_image"]["lines"] == [3]
    assert found["id", "no_such_item"]["lines"] == [4]
    assert found["id", "not_an_id"]["lines"] == [5]
    assert found["title", "unknown_title"]["lines"] == [6]
    assert found["", "no_item"]["lines"] == [7]
    assert found["", "duplicate_row"]["lines"] == [8]
    assert not ItemValue.objects.filter(item=one).exists()
    with pytest.raises(Conflict):
        begin_applying(given=wrong, actor=una)
    lines = [row.line for row in rows_with(wrong, ImportOutcome.WRONG)]
    assert lines == [2, 3, 4, 5, 6, 7, 8]


def test_unknown_columns_are_asked_about_and_left_out_by_choice(archive, una, sockets):
    (item,) = create_items(archive=archive, creator=una, titles=["P1"])
    asked = bring(archive, una, sheet(["title", "scorre", "remark"], ["P1", "0.5", "fine"]))
    assert asked.state == ImportState.INVALID
    unknown = {one["name"]: one["suggested"] for one in asked.report["columns"] if one["use"] == "unknown"}
    assert unknown["scorre"][0] == "score"
    assert set(unknown) == {"scorre", "remark"}
    check_again(given=asked, actor=una, columns={"scorre": "score", "remark": ""}, makes_items=False)
    run_jobs()
    asked.refresh_from_db()
    assert asked.state == ImportState.READY
    begin_applying(given=asked, actor=una)
    run_jobs()
    assert held(item) == {"score": 0.5}


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (["score"], "no_item_column"),
        (["title", "score", "Score"], "repeated_column"),
        (["title", "Title", "score"], "repeated_column"),
        (["title", "score", "score"], "duplicate_column"),
    ],
)
def test_columns_that_cannot_be_read(archive, una, sockets, head, code):
    wrong = bring(archive, una, sheet(head, ["1"] * len(head)))
    assert wrong.state == ImportState.INVALID
    assert code in {cause for _, cause in causes(wrong)}


@pytest.mark.parametrize("data", [b"\x00\xff\xfe\x01" * 20, b"PK\x03\x04 no workbook", b"\n\n"])
def test_what_is_no_sheet_says_so(archive, una, data):
    wrong = bring(archive, una, data)
    assert wrong.state == ImportState.INVALID
    assert wrong.report["problems"][0]["remedy"]


def test_new_titles_make_items_where_that_is_wished(archive, una, sockets):
    create_items(archive=archive, creator=una, titles=["P1"])
    data = sheet(["title", "score"], ["P1", "1"], ["P2", "2"], ["P3", ""])
    assert causes(bring(archive, una, data)).keys() == {("title", "unknown_title")}
    done = bring(archive, una, data, makes_items=True, reason="New cases")
    assert done.report["counts"]["made"] == 2
    assert [item.title for item in items_of(archive)] == ["P1", "P2", "P3"]
    new = Item.objects.get(title="P2")
    assert held(new) == {"score": 2.0}
    assert [change.words for change in history_of(new)] == ["added Score: 2.0 (New cases)", "made it (New cases)"]
    twice = bring(archive, una, sheet(["title", "score"], ["P4", "1"], ["P4", "2"]), makes_items=True)
    assert causes(twice)["", "duplicate_row"]["lines"] == [3]


def test_an_id_with_another_title_renames(archive, una, sockets):
    one, _two = create_items(archive=archive, creator=una, titles=["P1", "P2"])
    taken = bring(archive, una, sheet(["id", "title"], [one.pk, "P2"]))
    assert causes(taken).keys() == {("title", "title_taken")}
    done = bring(archive, una, sheet(["id", "title"], [one.pk, "Patient 1"]))
    one.refresh_from_db()
    assert (json.dumps(done.report["counts"]["renamed"]), one.title) == ("1", "Patient 1")


def test_a_row_that_changed_since_the_check_is_left_out_and_told(archive, una, sockets):
    items = create_items(archive=archive, creator=una, titles=["P1", "P2", "P3", "P4"])
    ready = bring(archive, una, sheet(["title", "score"], *([item.title, "5"] for item in items)), apply=False)
    put(items[0], sockets["score"], value=1.0)
    put(items[1], sockets["grade"], value="mild")  # another socket: the row is as good as before
    trash_items(archive=archive, actor=archive.creator, item_ids=[items[2].pk])
    rename_item(item=items[3], actor=una, title="P5")
    begin_applying(given=ready, actor=una, work_now=True)
    apply_values(import_id=ready.pk)
    ready.refresh_from_db()
    assert (ready.report["applied"], ready.report["conflicts"]) == (2, 2)
    assert [held(item).get("score") for item in items] == [1.0, 5.0, None, 5.0]
    left = {row.line: row.problems[0]["message"] for row in rows_with(ready, ImportOutcome.CONFLICT)}
    assert "Changed after the check: Score" in left[2]
    assert "not there any more" in left[4]


def test_a_title_that_changed_since_the_check_is_not_written_over(archive, una, sockets):
    one, two = create_items(archive=archive, creator=una, titles=["P1", "P2"])
    rows = ([one.pk, "Una's", "1"], [two.pk, "Patient 2", "2"])
    ready = bring(archive, una, sheet(["id", "title", "score"], *rows), apply=False)
    rename_item(item=one, actor=archive.creator, title="Alice's")
    begin_applying(given=ready, actor=una, work_now=True)
    apply_values(import_id=ready.pk)
    assert [item.title for item in items_of(archive)] == ["Alice's", "Patient 2"]
    (left,) = rows_with(ready, ImportOutcome.CONFLICT)
    assert "Changed after the check: the title" in left.problems[0]["message"]


def test_a_column_for_a_socket_that_is_not_there_is_no_column_to_leave_out(archive, una, sockets):
    create_items(archive=archive, creator=una, titles=["P1"])
    data = sheet(["title", "Agatston"], ["P1", "5"])
    slip = bring(archive, una, data, columns={"Agatston": "scoer"})
    column = slip.report["columns"][1]
    assert (slip.state, column["use"], column["suggested"]) == (ImportState.INVALID, "unknown", ["score"])
    assert not ItemValue.objects.exists()


def test_the_last_digit_of_a_long_whole_number_can_be_changed_in_a_workbook(archive, una, sockets):
    (item,) = create_items(archive=archive, creator=una, titles=["P1"])
    put(item, sockets["count"], value=12_345_678_901_234_567)
    out = io.BytesIO()
    write_workbook([("title", "count"), ("P1", 12_345_678_901_234_568)], out)
    bring(archive, una, out.getvalue(), name="values.xlsx")
    assert held(item) == {"count": 12_345_678_901_234_568}


def test_rows_that_wait_for_the_end_of_the_check_are_small():
    def row(line):
        told = {"socket": 7, "title": "Score of the left lung", "verb": "added", "before": "", "after": str(line)}
        return ImportedRow(line=line, title=f"P{line}", changes=[told | {"put": line} for _ in range(20)])

    kept = _Rows()
    tracemalloc.start()
    try:
        for begin in range(2, 5002, 500):
            kept.take([row(line) for line in range(begin, begin + 500)])
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 5000 * 20 * 40  # They are some hundred bytes each while they are Python's.
    back = [row for rows in kept.unpacked(ValuesImport()) for row in rows]
    assert [row.line for row in back] == list(range(2, 5002))
    assert back[-1].changes == row(5001).changes


def test_an_application_that_is_cut_off_goes_on_and_does_nothing_twice(archive, una, sockets):
    items = create_items(archive=archive, creator=una, titles=[f"P{at}" for at in range(7)])
    ready = bring(archive, una, sheet(["title", "score"], *([item.title, "5"] for item in items)), apply=False)
    begin_applying(given=ready, actor=una, work_now=True)

    class Cut(Exception):
        pass

    def cut(done):
        raise Cut

    with pytest.raises(Cut):
        apply_values(import_id=ready.pk, chunk=3, told=cut)
    assert ItemValue.objects.count() == 3
    ValuesImport.objects.update(modified="2020-01-01T00:00:00Z")
    assert resume_stranded() == 1
    run_jobs()
    ready.refresh_from_db()
    assert (ready.state, ready.report["applied"]) == (ImportState.APPLIED, 7)
    assert all(len(history_of(item)) == 2 for item in items)
    apply_values(import_id=ready.pk)
    assert Event.objects.filter(verb="archive.values_imported").count() == 1


def test_images_are_those_that_one_may_pass_on(archive, una):
    socket = image_socket()
    (item,) = create_items(archive=archive, creator=una, titles=["P1"])
    (mine,) = make_images(make_cohort(una, name="Una's"), 1)
    (public,) = make_images(make_cohort(make_user("carol"), name="Carol's"), 1, visibility="public")
    head = ["title", socket.slug]
    assert causes(bring(archive, una, sheet(head, ["P1", public.public_id]))).keys() == {(socket.slug, "not_yours")}
    done = bring(archive, una, sheet(head, ["P1", str(mine.key)]))
    assert done.report["applied"] == 1
    assert ItemValue.objects.get(item=item).value.image_id == mine.pk
    again = bring(archive, una, sheet(head, ["P1", str(mine.key).upper()]), apply=False)
    assert again.report["changed"] == 0


def test_decimal_commas_and_windows_letters(archive, una, sockets):
    (item,) = create_items(archive=archive, creator=una, titles=["Größe"])
    data = "title;score;report text\r\nGröße;0,25;für\r\n".encode("cp1252")
    bring(archive, una, data)
    assert held(item) == {"score": 0.25, "report-text": "für"}


def test_who_may_import(archive, una, sockets):
    create_items(archive=archive, creator=una, titles=["P1"])
    data = sheet(["title", "score"], ["P1", "1"])
    vic = make_user("vic")
    with pytest.raises((NotAllowed, NotFound)):
        give_values(archive=archive, user=vic, name="x.csv", data=data)
    ready = bring(archive, una, data, apply=False)
    assert import_for(archive.creator, ready.pk) == ready
    with pytest.raises(NotFound):
        import_for(vic, ready.pk)
    begin_applying(given=ready, actor=una, work_now=True)
    remove_member(scope=archive.scope, user=una)
    apply_values(import_id=ready.pk)
    ready.refresh_from_db()
    assert "may not change items" in ready.report["stopped"]
    assert not ItemValue.objects.exists()
    with pytest.raises(NotFound):
        import_for(una, ready.pk)


def test_what_nobody_applies_is_put_away_with_its_bytes(archive, una, sockets):
    create_items(archive=archive, creator=una, titles=["P1"])
    first, second = (
        bring(archive, una, sheet(["title", "score"], ["P1", number]), apply=False) for number in ("1", "2")
    )
    put_away(given=first, actor=una)
    assert put_idle_away() == 0
    ValuesImport.objects.filter(pk=second.pk).update(modified="2020-01-01T00:00:00Z")
    assert put_idle_away() == 1
    assert not ValuesImport.objects.exists()
    assert not ImportedRow.objects.exists()
    assert not Blob.objects.filter(let_go=None).exclude(state="tombstoned").exists()


def test_sheets_of_many_rows_cost_few_queries(archive, una, sockets, django_assert_max_num_queries):
    items = create_items(archive=archive, creator=una, titles=[f"P{at}" for at in range(400)])
    rows = [[item.title, str(at), "mild"] for at, item in enumerate(items)]
    ready = give_values(
        archive=archive, user=una, name="v.csv", data=sheet(["title", "score", "grade"], *rows), work_now=True
    )
    with django_assert_max_num_queries(40):
        check_values(import_id=ready.pk)
    begin_applying(given=ready, actor=una, work_now=True)
    with django_assert_max_num_queries(100):
        apply_values(import_id=ready.pk)
    assert ItemValue.objects.count() == 800


def test_an_unknown_import_is_nothing(una):
    apply_values(import_id=uuid.uuid4())
    check_values(import_id=uuid.uuid4())
