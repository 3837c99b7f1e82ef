"""What was applied can be taken back: every value as it was, byte for byte; what has changed since is told."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.metadata.models import MetadataVersion, SheetRow
from medtheca.domains.provenance.enums import ReviewState
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.correct import correct_metadata
from medtheca.workflows.describe import apply_file, conflicts_ahead, describe_file, preview_of, undo_file
from medtheca.workflows.describing import writing
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.thoroughness import examples
from tests.workflows.describing import apply, check, said, undo, work

pytestmark = pytest.mark.usefixtures("data")

NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
WORDS = {
    "age": ["", "5", "53", "85+", "[clear]"],
    "sex": ["", "male", "female", "[clear]"],
    "diagnosis": ["", "Nevus", "Melanoma, NOS", "Benign", "[clear]"],
    "mel_ulcer": ["", "", "", "", "", "", "", "true", "[clear]"],
    "clin_size_long_diam_mm": ["", "7.5", "2cm", "[clear]"],
    "melanocytic": ["", "true", "0", "[clear]"],
    "patient_id": ["", "P1"],
    "lesion_id": ["", "L1", "L2", "L3", "[clear]"],
    "acquisition_day": ["", "0", "1", "-4"],
    "hair": ["", "red", " 1 ", "true", "[clear]"],
}
rows = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(words) for name, words in WORDS.items()}),
    min_size=len(NAMES),
    max_size=len(NAMES),
)
edits = st.lists(
    st.sampled_from(
        [
            (name, field, value)
            for name in NAMES
            for field, value in [
                ("age", "30"),
                ("age", None),
                ("sex", "male"),
                ("sex", None),
                ("hair", "blue"),
                ("hair", None),
                ("melanocytic", "true"),
                ("acquisition_day", "7"),
            ]
        ]
    ),
    min_size=2,
    max_size=6,
)


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    make_images(cohort, len(NAMES), names=NAMES)
    return cohort


def sheet(cells):
    header = ["filename", *WORDS]
    lines = [",".join(header)]
    for name, row in zip(NAMES, cells, strict=True):
        lines.append(",".join([name, *(f'"{row[column]}"' for column in WORDS)]))
    return "\n".join(lines) + "\n"


def stored():
    """Every value of every description as the database writes it, and whose each image is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.name, coalesce(d.structured, '{}')::text, coalesce(d.unstructured, '{}')::text,"
            " a.patient_id, a.lesion_id FROM provenance_accession a"
            " LEFT JOIN metadata_description d ON d.accession_id = a.id ORDER BY a.name"
        )
        return {name: rest for name, *rest in cursor.fetchall()}


def correct(user, name, field, value):
    """One correction by hand; what the rules refuse is simply not done."""
    accession = Accession.objects.get(name=name)
    change = {"unstructured": {field: value}, "changes": {}} if field == "hair" else {"changes": {field: value}}
    try:
        return correct_metadata(user=user, accession_id=accession.pk, **change)
    except Invalid:
        return None


def forget():
    """Everything that was described: each example begins anew."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE provenance_accession SET patient_id = NULL, lesion_id = NULL")
        for table in ("metadataversion", "description", "sheetrow", "sheetedit", "metadatafile"):
            cursor.execute(f"DELETE FROM metadata_{table}")


_slowly = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@_slowly
@given(before=rows, after=rows)
def test_apply_and_undo_give_back_every_byte(alice, cohort, before, after):
    forget()
    first = check(alice, cohort, sheet(before))
    if first.state == "ready":
        apply(alice, first)
    was = stored()
    second = check(alice, cohort, sheet(after))
    if second.state != "ready":
        assert stored() == was
        return
    changing = preview_of(user=alice, file_id=second.pk).total
    apply(alice, second)
    assert second.report["changed"] == changing
    if changing:
        assert stored() != was
    undo(alice, second)
    assert (second.state, second.report["conflicts"]) == ("undone", 0)
    assert stored() == was
    event(f"undone, {min(changing, 1)} or more changed")


@_slowly
@given(before=rows, after=rows, between=edits)
def test_what_was_changed_in_between_is_a_conflict_and_all_else_goes_back(alice, cohort, before, after, between):
    forget()
    first = check(alice, cohort, sheet(before))
    if first.state == "ready":
        apply(alice, first)
    was = {name: said(name) for name in NAMES}
    second = check(alice, cohort, sheet(after))
    if second.state != "ready":
        return
    apply(alice, second)
    changed = {
        row.accession.name: {*row.structured, *row.unstructured}
        for row in SheetRow.objects.filter(file=second).select_related("accession")
    }
    applied = {name: said(name) for name in NAMES}
    for name, field, value in between:
        correct(alice, name, field, value)
    now = {name: said(name) for name in NAMES}
    ahead = conflicts_ahead(user=alice, file_id=second.pk)
    undo(alice, second)
    conflicts = {row.accession.name: row.problems for row in SheetRow.objects.filter(file=second, outcome="conflict")}
    assert second.report["conflicts"] == len(conflicts) <= ahead
    event(f"{min(len(conflicts), 2)} conflicts")
    for name in NAMES:
        fields = {one["field"] for one in conflicts.get(name, [])}
        misfit = any(one["code"] == "does_not_fit" for one in conflicts.get(name, []))
        for kind in (0, 1):
            for field in {*was[name][kind], *applied[name][kind], *now[name][kind], *said(name)[kind]}:
                value = said(name)[kind].get(field)
                touched = now[name][kind].get(field) != applied[name][kind].get(field)
                mine = field in changed[name] or field.rsplit("_", 1)[0] in changed[name]
                if misfit or not mine or (touched and value != was[name][kind].get(field)):
                    # Left alone; and where the sheet had changed it, told.
                    assert value == now[name][kind].get(field)
                    assert misfit or not mine or fields & {field, field.rsplit("_", 1)[0]}
                else:
                    assert value == was[name][kind].get(field)


def test_with_conflicts_accepted_all_goes_back(alice, cohort):
    apply(alice, check(alice, cohort, "filename,age,sex\na,10,male\nb,10,male\n"))
    was = stored()
    file = apply(alice, check(alice, cohort, "filename,age,sex\na,20,female\nb,20,female\n"))
    correct(alice, "a.jpg", "age", "30")
    assert conflicts_ahead(user=alice, file_id=file.pk) == 1
    undo(alice, file)
    assert (file.report["undone"], file.report["conflicts"]) == (1, 1)
    assert said("a.jpg")[0] == {"age": 30, "age_approx": 30, "sex": "male"}
    (row,) = preview_of(user=alice, file_id=file.pk, outcome="conflict").rows
    assert [(one["field"], one["code"]) for one in row.problems] == [("age", "changed_since")]
    undo(alice, file, accept_conflicts=True)
    assert stored() == was
    with pytest.raises(Conflict):
        undo_file(user=alice, file_id=file.pk, accept_conflicts=True)


def test_old_values_that_do_not_fit_what_came_since_are_left_alone(alice, cohort):
    apply(alice, check(alice, cohort, "filename,diagnosis\na,Nevus\n"))
    file = apply(alice, check(alice, cohort, 'filename,diagnosis\na,"Melanoma, NOS"\n'))
    correct(alice, "a.jpg", "mel_ulcer", "true")
    undo(alice, file)
    (row,) = SheetRow.objects.filter(file=file, outcome="conflict")
    assert row.problems[0]["code"] == "does_not_fit"
    assert said("a.jpg")[0]["mel_ulcer"] is True


def test_every_change_is_a_version_with_who_and_why(alice, cohort):
    file = apply(alice, check(alice, cohort, "filename,age\na,10\n"), reason="From the register.")
    undo(alice, file)
    found = MetadataVersion.objects.filter(accession__name="a.jpg").order_by("number")
    assert [(one.number, one.creator, one.source, one.reason) for one in found] == [
        (1, alice, file, "From the register."),
        (2, alice, file, "The application of a spreadsheet was undone."),
    ]


def test_review_begins_anew_only_for_what_is_not_published(alice, cohort):
    make_images(cohort, 1, names=["public.jpg"], visibility="public")
    Accession.objects.update(review_state=ReviewState.ACCEPTED)
    file = check(alice, cohort, "filename,age\na,10\npublic,20\n")
    assert file.report["published"] == 1
    with pytest.raises(Invalid) as refused:
        apply_file(user=alice, file_id=file.pk)
    assert refused.value.problems[0].field == "reason"
    apply(alice, file, reason="The age was missing.")
    states = dict(Accession.objects.values_list("name", "review_state"))
    assert (states["a.jpg"], states["b.jpg"], states["public.jpg"]) == ("awaiting", "accepted", "accepted")


def test_with_published_images_a_sheet_waits_for_a_reason(alice, cohort):
    make_images(cohort, 1, names=["public.jpg"], visibility="public")
    file = check(alice, cohort, "filename,age\npublic,20\n", apply_when_ready=True)
    assert file.state == "ready"
    again = check(alice, cohort, "filename,age\npublic,20\n", apply_when_ready=True, reason="It was missing.")
    assert again.state == "applied"


def test_what_changed_since_the_check_is_looked_at_again_before_it_is_applied(alice, cohort):
    file = check(alice, cohort, "filename,sex\na,male\n")
    correct(alice, "a.jpg", "sex", "female")
    with pytest.raises(Conflict) as refused:
        apply_file(user=alice, file_id=file.pk)
    assert refused.value.code == "stale"
    work(file)
    (row,) = preview_of(user=alice, file_id=file.pk).rows
    assert [(one.before, one.after) for one in row.changes] == [("female", "male")]
    assert apply(alice, file).state == "applied"


def test_what_changes_between_asking_and_doing_is_not_made_nonsense(alice, cohort):
    file = check(alice, cohort, 'filename,diagnosis,mel_ulcer\na,"Melanoma, NOS",true\nb,Nevus,\n')
    correct(alice, "a.jpg", "sex", "female")
    with pytest.raises(Conflict):
        apply_file(user=alice, file_id=file.pk)
    work(file)
    apply_file(user=alice, file_id=file.pk)
    correct(alice, "a.jpg", "dermoscopic_type", None)
    correct(alice, "a.jpg", "diagnosis", "Nevus")
    work(file)
    assert (file.state, file.report["changed"], file.report["skipped"]) == ("applied", 2, 0)
    assert said("a.jpg")[0]["diagnosis_1"] == "Malignant"


def test_a_contradiction_that_came_meanwhile_leaves_its_rows_out(alice, cohort):
    file = check(alice, cohort, "filename,patient_id,lesion_id\na,P1,L1\nb,P1,L2\n")
    apply(alice, check(alice, cohort, "filename,patient_id,lesion_id\nc,P9,L1\n"))
    apply(alice, file)
    assert (file.report["changed"], file.report["skipped"]) == (1, 1)
    skipped = SheetRow.objects.get(file=file, outcome="skipped")
    assert (skipped.line, skipped.problems[0]["code"]) == (2, "one_lesion_multiple_patients")


class Cut(Exception):
    pass


@pytest.mark.parametrize("deed", ["apply", "undo"])
def test_what_is_cut_off_in_the_middle_goes_on_and_ends_right(deed, alice, cohort, monkeypatch):
    from medtheca.workflows import describe

    monkeypatch.setattr(describe, "CHUNK", 1)
    was = stored()
    file = check(alice, cohort, "filename,age\na,1\nb,2\nc,3\nd,4\n")
    if deed == "undo":
        apply(alice, file)
        undo_file(user=alice, file_id=file.pk)
    else:
        apply_file(user=alice, file_id=file.pk)
    steps = iter([None, Cut, None, Cut])

    def step(_):
        if next(steps, None) is Cut:
            raise Cut

    monkeypatch.setattr(writing, "step", step)
    for _ in range(2):
        with pytest.raises(Cut):
            describe_file(file_id=file.pk)
    work(file)
    assert (file.done, file.total) == (4, 4)
    if deed == "undo":
        assert file.state == "undone"
        assert stored() == was
        assert MetadataVersion.objects.count() == 8
    else:
        assert (file.state, file.report["changed"]) == ("applied", 4)
        assert MetadataVersion.objects.count() == 4
