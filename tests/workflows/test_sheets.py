"""A sheet is read as people write them, every fault of it named by row and column, and mended in place."""

import csv
import io

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.metadata.models import MetadataFile, SheetEdit, SheetRow
from medtheca.domains.metadata.sheets import history_of_edits
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.describe import (
    apply_file,
    check_again,
    describe_file,
    discard_file,
    edit_cells,
    give_metadata,
    preview_of,
    problems_of,
    replace_values,
    set_mapping,
    set_matches,
    sheet_with_errors,
    undo_file,
)
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.generators.workbooks import Date, make_workbook
from tests.workflows.describing import apply, check, problems, said, work

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    make_images(cohort, 20, names=[f"img_{number:02}.jpg" for number in range(20)])
    return cohort


FIFTEEN = """\
filename;age;sex;diagnosis;clin_size_long_diam_mm;acquisition_day;melanocytic;image_type;dermoscopic_type;mel_thick_mm;\
patient_id;lesion_id;concomitant_biopsy;diagnosis_confirm_type;rcm_case_id;rcm note
img_00;old;female;;;;;;;;;;;;;
img_01;-3;female;;;;;;;;;;;;;
img_02;40;femal;;;;;;;;;;;;;
img_03;40;male;Nevvus;;;;;;;;;;;;
img_04;40;male;;wide;;;;;;;;;;;
img_05;40;male;;-0,5;;;;;;;;;;;
img_06;40;male;;1,234;;;;;;;;;;;
img_07;40;male;;;20170301;;;;;;;;;;
img_08;40;male;;;;maybe;;;;;;;;;
img_09;40;male;;;;;clinical: overview;contact polarized;;;;;;;
img_10;40;male;Nevus;;;;;;0,5;;;;;;
img_11;40;male;;;;;;;;P1;L1;;;;
img_12;40;male;;;;;;;;P2;L1;;;;
img_13;40;male;;;;;;;;;;true;;;
img_14;40;male;;;;;;;;;;;;R1;
img_00.jpg;40;male;;;;;;;;;;;;;
;40;male;;;;;;;;;;;;;
img_15;40;male;;0,5;;;;;;;;;;;;too much
"""


def test_fifteen_kinds_of_error_in_a_semicolon_sheet_are_told_at_their_row_and_column(alice, cohort):
    file = check(alice, cohort, FIFTEEN)
    assert file.state == "invalid"
    assert sorted(problems(file)) == sorted(
        [
            (2, "age", "not_integer"),
            (3, "age", "below_minimum"),
            (4, "sex", "unknown_value"),
            (5, "diagnosis", "unknown_value"),
            (6, "clin_size_long_diam_mm", "not_number"),
            (7, "clin_size_long_diam_mm", "below_minimum"),
            (8, "clin_size_long_diam_mm", "too_many_decimals"),
            (9, "acquisition_day", "above_maximum"),
            (10, "melanocytic", "not_boolean"),
            (11, "dermoscopic_type", "incompatible_fields"),
            (12, "mel_thick_mm", "incompatible_fields"),
            (13, "lesion_id", "one_lesion_multiple_patients"),
            (14, "lesion_id", "one_lesion_multiple_patients"),
            (15, "concomitant_biopsy", "missing_field"),
            (16, "rcm_case_id", "missing_field"),
            (17, "filename", "duplicate_filename"),
            (18, "filename", "no_filename"),
            (19, "", "too_many_cells"),
        ]
    )
    assert all(one["message"] and one["remedy"] for one in file.report["problems"])
    assert any("decimal points" in note for note in file.report["notes"])
    assert file.report["problem_count"] == 18
    assert len(problems_of(user=alice, file_id=file.pk)) == 18


def test_alike_errors_stand_in_one_group_with_their_lines_and_values(alice, cohort):
    rows = "".join(f"img_{number:02},{'nevvus' if number % 2 else 'melanomma'}\n" for number in range(20))
    file = check(alice, cohort, "filename,diagnosis\n" + rows)
    (group,) = file.report["groups"]
    assert (group["code"], group["column"], group["count"]) == ("unknown_value", "diagnosis", 20)
    assert group["lines"] == list(range(2, 22))
    assert group["example"] == {"line": 2, "file": "img_00", "value": "melanomma"}
    assert {one["value"]: one["count"] for one in group["values"]} == {"nevvus": 10, "melanomma": 10}
    assert replace_values(user=alice, file_id=file.pk, column="diagnosis", values={"nevvus": "Nevus"}) == 10
    assert work(file).report["problem_count"] == 10


def test_a_cell_is_mended_in_place_and_the_file_stays_as_it_came(alice, cohort):
    file = check(alice, cohort, "filename,sex\nimg_00,femal\nimg_01,male\n")
    before = blob_store().path(file.blob.sha256).read_bytes()
    edit_cells(user=alice, file_id=file.pk, cells={2: {"sex": "femael"}})
    assert work(file).state == "invalid"
    edit_cells(user=alice, file_id=file.pk, cells={2: {"sex": "female"}})
    assert work(file).state == "ready"
    assert blob_store().path(file.blob.sha256).read_bytes() == before
    assert [(edit.line, edit.value, edit.by) for edit in history_of_edits(file)] == [
        (2, "female", alice),
        (2, "femael", alice),
    ]
    assert apply(alice, file).state == "applied"
    assert said("img_00.jpg")[0]["sex"] == "female"


def test_faults_of_a_whole_row_are_mended_in_place_too(alice, cohort):
    file = check(alice, cohort, "filename,sex\nimg_00,male\nimg_00.jpg,male\n,female\n")
    assert problems(file) == [(3, "filename", "duplicate_filename"), (4, "filename", "no_filename")]
    edit_cells(user=alice, file_id=file.pk, cells={3: {"filename": "img_01"}, 4: {"filename": "img_02"}})
    assert work(file).state == "ready"
    assert file.report["changing"] == 3


def test_columns_are_proposed_and_chosen(alice, cohort):
    file = check(alice, cohort, "Bild;Geschlecht;Gender;diagnosys;Haarfarbe\nimg_00;x;female;Nevus;rot\n")
    assert [(one["column"], one["code"]) for one in file.report["groups"]] == [("", "no_filename_column")]
    columns = {column["column"]: column for column in file.report["columns"]}
    assert (columns["Gender"]["use"], columns["Gender"]["name"]) == ("field", "sex")
    assert (columns["diagnosys"]["use"], columns["diagnosys"]["suggested"]) == ("unstructured", "diagnosis")
    chosen = {
        "Bild": {"field": "filename"},
        "Geschlecht": {"ignore": True},
        "diagnosys": {"field": "diagnosis"},
        "Haarfarbe": {"unstructured": "hair colour"},
    }
    set_mapping(user=alice, file_id=file.pk, mapping=chosen)
    assert work(file).state == "ready"
    apply(alice, file)
    structured, unstructured = said("img_00.jpg")
    assert (structured["sex"], structured["diagnosis_1"]) == ("female", "Benign")
    assert unstructured == {"hair colour": "rot"}


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"nobody": {"ignore": True}}, "unknown_column"),
        ({"sex": {"field": "sexx"}}, "unknown_field"),
        ({"sex": {"field": "age"}, "note": {"field": "age"}}, "mapped_twice"),
        ({"note": {"unstructured": "age"}}, "name_of_field"),
        ({"note": {"unstructured": " "}}, "bad_name"),
        ({"note": {"unstructured": "a\x00"}}, "bad_name"),
        ({"note": {"ignore": False}}, "bad_choice"),
        ({"note": {}}, "bad_choice"),
        ({"note": "age"}, "bad_choice"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(mapping, code, alice, cohort):
    file = check(alice, cohort, "filename,sex,note\nimg_00,male,a\n")
    with pytest.raises(Invalid) as refused:
        set_mapping(user=alice, file_id=file.pk, mapping=mapping)
    assert [problem.code for problem in refused.value.problems] == [code]
    file.refresh_from_db()
    assert (file.state, file.mapping) == ("ready", {})


def test_names_without_an_image_are_shown_and_matched_by_hand(alice, cohort):
    file = check(alice, cohort, "filename,age\nIMG_00.JPG,1\nimg_1,2\nother,3\nimg_02,4\n")
    assert file.state == "ready"
    rows = {row["name"]: row for row in file.report["unmatched_rows"]}
    assert set(rows) == {"IMG_00.JPG", "img_1", "other"}
    assert [one["name"] for one in rows["IMG_00.JPG"]["candidates"]] == ["img_00.jpg"]
    assert rows["img_1"]["line"] == 3
    chosen = {"IMG_00.JPG": Accession.objects.get(name="img_00.jpg").pk, "other": None}
    set_matches(user=alice, file_id=file.pk, matches=chosen)
    work(file)
    assert (file.report["unmatched"], file.report["left_out"], file.report["changing"]) == (["img_1"], 1, 2)
    apply(alice, file)
    assert said("img_00.jpg")[0]["age"] == 1


def test_a_name_cannot_be_matched_to_an_image_of_somebody_else(alice, cohort):
    bob = make_user("bob")
    theirs = make_cohort(bob, name="Elsewhere")
    make_images(theirs, 1, names=["secret.jpg"])
    file = check(alice, cohort, "filename,age\nsecret,1\n")
    assert file.report["unmatched_rows"][0]["candidates"] == []
    with pytest.raises(Invalid):
        set_matches(user=alice, file_id=file.pk, matches={"secret": Accession.objects.get(name="secret.jpg").pk})


def test_lost_leading_zeros_are_put_back_where_one_name_alone_fits(alice, cohort):
    make_images(cohort, 3, names=["0042.jpg", "007.png", "0007.png"])
    file = check(alice, cohort, "filename,age\n42,30\n7,31\n42.png,32\n")
    assert file.report["matched"] == 1
    assert any("zeros" in note for note in file.report["notes"])
    ambiguous = file.report["unmatched_rows"][0]
    assert (ambiguous["name"], len(ambiguous["candidates"])) == ("7", 2)
    assert SheetRow.objects.get(file=file, line=2).matched == "zeros"


def test_a_public_id_names_an_image_of_the_cohort(alice, cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    file = check(alice, cohort, f"isic_id,sex\n{image.public_id},male\n")
    assert (file.report["matched"], file.report["published"]) == (1, 1)


def test_blank_keeps_and_clear_erases(alice, cohort):
    apply(alice, check(alice, cohort, "filename,age,sex,diagnosis,hair\nimg_00,53,female,Nevus,red\n"))
    file = check(alice, cohort, "filename,age,sex,diagnosis,hair\nimg_00,[clear],,[clear],[clear]\n")
    assert file.report["fields"] == {"age": {"cleared": 1}, "diagnosis": {"cleared": 1}, "hair": {"cleared": 1}}
    apply(alice, file)
    assert said("img_00.jpg") == ({"sex": "female"}, {})


def test_a_stored_value_that_stands_in_the_way_is_explained(alice, cohort):
    apply(alice, check(alice, cohort, 'filename,diagnosis,mel_ulcer\nimg_00,"Melanoma, NOS",true\n'))
    file = check(alice, cohort, "filename,diagnosis\nimg_00,Nevus\n")
    (problem,) = file.report["problems"]
    assert (problem["field"], problem["code"]) == ("mel_ulcer", "incompatible_fields")
    assert "[clear]" in problem["remedy"]


def test_rules_between_rows_reach_what_is_stored_in_other_cohorts_of_the_contributor_only(alice, cohort):
    second = create_cohort(
        contributor=cohort.contributor, creator=alice, name="Second", licence="CC0-1.0", attribution="Clinic"
    )
    make_images(second, 1, names=["there.jpg"])
    bob = make_user("bob")
    elsewhere = make_cohort(bob, name="Elsewhere")
    make_images(elsewhere, 1, names=["far.jpg"])
    apply(alice, check(alice, second, "filename,patient_id,lesion_id\nthere,P1,L1\n"))
    apply(bob, check(bob, elsewhere, "filename,patient_id,lesion_id\nfar,P1,L2\n"))
    file = check(alice, cohort, "filename,patient_id,lesion_id\nimg_00,P2,L1\nimg_01,P2,L2\n")
    assert problems(file) == [(2, "lesion_id", "one_lesion_multiple_patients")]
    assert "there.jpg" not in file.report["problems"][0]["message"]


def test_a_sheet_may_move_a_whole_lesion_to_another_patient(alice, cohort):
    apply(alice, check(alice, cohort, "filename,patient_id,lesion_id\nimg_00,P1,L1\nimg_01,P1,L1\n"))
    half = check(alice, cohort, "filename,patient_id\nimg_00,P2\n")
    assert problems(half) == [(2, "", "one_lesion_multiple_patients")]
    whole = check(alice, cohort, "filename,patient_id\nimg_00,P2\nimg_01,P2\n")
    assert apply(alice, whole).report["changed"] == 2


def test_the_preview_has_every_value_before_and_after(alice, cohort):
    apply(alice, check(alice, cohort, "filename,age,diagnosis\nimg_00,53,Nevus\nimg_01,20,\n"))
    file = check(
        alice,
        cohort,
        'filename,age,sex,diagnosis,hair\nimg_00,54,male,"Melanoma, NOS",red\nimg_01,[clear],,,\nimg_02,,,,\n',
    )
    preview = preview_of(user=alice, file_id=file.pk)
    assert preview.total == 2
    first = {change.field: (change.before, change.after, change.kind) for change in preview.rows[0].changes}
    assert first["age"] == (53, 54, "changed")
    assert first["sex"] == (None, "male", "added")
    assert first["hair"] == (None, "red", "added")
    assert first["diagnosis"][0].endswith("Nevus")
    assert first["diagnosis"][1].endswith("Melanoma, NOS")
    assert [(one.field, one.added, one.changed, one.cleared) for one in preview.fields] == [
        ("age", 0, 1, 1),
        ("sex", 1, 0, 0),
        ("diagnosis", 0, 1, 0),
        ("hair", 1, 0, 0),
    ]
    assert [row.line for row in preview_of(user=alice, file_id=file.pk, field="sex").rows] == [2]
    assert [row.line for row in preview_of(user=alice, file_id=file.pk, page=2, size=1).rows] == [3]
    assert preview_of(user=alice, file_id=file.pk, page=99, size=1).page == 2


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
        ("latin-1", "Windows-1252"),
        ("mac_roman", "Mac Roman"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_common_encoding_and_separator_is_read(encoding, name, separator, alice, cohort):
    text = f"filename{separator}sex{separator}größe\r\nimg_00{separator}male{separator}naïf\r\n"
    file = check(alice, cohort, text.encode(encoding))
    assert (file.state, file.report["encoding"], file.report["delimiter"]) == ("ready", name, separator)
    apply(alice, file)
    assert said("img_00.jpg")[1] == {"größe": "naïf"}


def test_a_workbook_is_read_with_its_dates_numbers_and_lost_zeros(alice, cohort):
    make_images(cohort, 1, names=["0042.jpg"])
    workbook = make_workbook(
        {
            "Read me": [["This is how to fill it in"]],
            "Data": [
                [],
                ["filename", "age", "melanocytic", "clin_size_long_diam_mm", "seen", "lesion_id"],
                [42, 53.0, True, 7.5, Date(42000), 7],
                ["img_01.jpg", 40, False, 0.1 + 0.2, None, "007"],
            ],
        }
    )
    file = check(alice, cohort, workbook, name="sheet.xlsx")
    assert (file.state, file.report["kind"], file.report["tab"]) == ("ready", "xlsx", "Data"), file.report["problems"]
    apply(alice, file)
    structured, unstructured = said("0042.jpg")
    assert (structured["age"], structured["melanocytic"], structured["clin_size_long_diam_mm"]) == (53, True, "7.50")
    assert (structured["lesion_id"], unstructured) == ("7", {"seen": "2014-12-27"})
    assert said("img_01.jpg")[0]["lesion_id"] == "007"
    assert said("img_01.jpg")[0]["clin_size_long_diam_mm"] == "0.30"
    assert SheetRow.objects.filter(file=file).order_by("line").values_list("line", flat=True)[0] == 3


def test_a_number_that_became_a_date_is_told(alice, cohort):
    workbook = make_workbook({"Data": [["filename", "clin_size_long_diam_mm"], ["img_00", Date(46149)]]})
    file = check(alice, cohort, workbook, name="sheet.xlsx")
    assert problems(file) == [(2, "clin_size_long_diam_mm", "date_for_number")]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 and nothing more",
        make_workbook({"Empty": []}),
        make_workbook({"Data": [["filename"], ["a"]]})[:-40],
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        make_workbook({"Data": [["filename"]]}, extra={"xl/bomb.xml": b" " * (450 << 20)}),
    ],
    ids=["no zip", "empty", "cut off", "no document", "bomb"],
)
def test_a_workbook_that_cannot_be_read_is_refused_with_a_reason(content, alice, cohort):
    file = check(alice, cohort, content, name="sheet.xlsx")
    assert file.state == "invalid"
    assert all(one["message"] and one["remedy"] for one in file.report["problems"])
    assert file.report["problems"]


def test_ones_own_sheet_comes_back_with_a_column_of_errors(alice, cohort):
    text = 'filename;sex;note\r\nimg_00;femal; =1+1 \r\nimg_01;male;"a;b"\r\n\r\nimg_02;x;é\r\n'
    file = check(alice, cohort, text.encode("cp1252"))
    edit_cells(user=alice, file_id=file.pk, cells={5: {"sex": "y"}})
    work(file)
    back = sheet_with_errors(user=alice, file_id=file.pk)
    assert back.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(back.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows[0] == ["filename", "sex", "note", "medtheca_errors"]
    assert rows[1][:3] == ["img_00", "femal", " =1+1 "]
    assert "femal" in rows[1][3]
    assert rows[2] == ["img_01", "male", "a;b", ""]
    assert rows[3] == []
    assert rows[4][:3] == ["img_02", "y", "é"]
    again = check(alice, cohort, back)
    assert problems(again) == [(2, "sex", "unknown_value"), (5, "sex", "unknown_value")]
    assert sheet_with_errors(user=alice, file_id=again.pk).decode("utf-8-sig").count("medtheca_errors") == 1


def test_the_error_column_runs_nothing_in_a_spreadsheet_program(alice, cohort):
    file = check(alice, cohort, "filename,=cmd()\nimg_00,\x01\n")
    back = sheet_with_errors(user=alice, file_id=file.pk).decode("utf-8-sig")
    (_, row) = list(csv.reader(io.StringIO(back, newline="")))
    assert row[-1].startswith("'=")


def test_what_changes_while_it_is_checked_is_checked_again(alice, cohort):
    file = check(alice, cohort, "filename,sexe\nimg_00,male\n")
    set_mapping(user=alice, file_id=file.pk, mapping={"sexe": {"field": "sex"}})
    set_mapping(user=alice, file_id=file.pk, mapping={"sexe": {"ignore": True}})
    run_jobs()
    file.refresh_from_db()
    assert (file.state, file.report["changing"], file.revision) == ("ready", 0, 3)


def test_who_may_do_what_to_a_sheet(alice, cohort):
    edith, viola, charlie = make_user("edith"), make_user("viola"), make_user("charlie")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    add_member(scope=cohort.scope, user=viola, role=Role.VIEWER)
    file = check(alice, cohort, "filename,sex\nimg_00,male\n")
    deeds = [
        lambda user: set_mapping(user=user, file_id=file.pk, mapping={}),
        lambda user: set_matches(user=user, file_id=file.pk, matches={}),
        lambda user: edit_cells(user=user, file_id=file.pk, cells={}),
        lambda user: replace_values(user=user, file_id=file.pk, column="sex", values={"x": "y"}),
        lambda user: check_again(user=user, file_id=file.pk),
        lambda user: preview_of(user=user, file_id=file.pk),
        lambda user: problems_of(user=user, file_id=file.pk),
        lambda user: sheet_with_errors(user=user, file_id=file.pk),
        lambda user: apply_file(user=user, file_id=file.pk),
        lambda user: undo_file(user=user, file_id=file.pk),
        lambda user: discard_file(user=user, file_id=file.pk),
        lambda user: give_metadata(user=user, cohort_id=cohort.pk, name="a.csv", data=b"filename\n"),
    ]
    for deed in deeds:
        with pytest.raises(NotFound):
            deed(charlie)
        with pytest.raises(NotAllowed):
            deed(viola)
    preview_of(user=edith, file_id=file.pk)
    apply_file(user=edith, file_id=file.pk)


def test_a_file_is_deleted_only_where_it_changed_nothing(alice, cohort):
    file = check(alice, cohort, "filename,sex\nimg_00,male\n")
    edit_cells(user=alice, file_id=file.pk, cells={2: {"sex": "female"}})
    work(file)
    discard_file(user=alice, file_id=file.pk)
    assert (MetadataFile.objects.count(), SheetRow.objects.count(), SheetEdit.objects.count()) == (0, 0, 0)
    describe_file(file_id=file.pk)
    applied = apply(alice, check(alice, cohort, "filename,sex\nimg_00,male\n"))
    with pytest.raises(Conflict):
        discard_file(user=alice, file_id=applied.pk)
