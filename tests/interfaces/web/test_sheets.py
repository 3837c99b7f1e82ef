"""The pages of a spreadsheet, from given to applied to undone, and of correcting one image; all as plain forms."""

import csv
import io

import pytest
from django.urls import reverse

from medtheca.domains.metadata.models import Description, MetadataFile, MetadataVersion
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.queries import blob_store
from tests.factories.images import make_images
from tests.factories.provenance import run_jobs
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    yield
    blob_store.cache_clear()


def words(answer):
    return " ".join(answer.content.decode().split())


def give(client, cohort, text, name="values.csv", **fields):
    file = io.BytesIO(text.encode())
    file.name = name
    return client.post(reverse("metadata_upload", args=[cohort.pk]), {"file": file, **fields})


def given(client, cohort, text):
    """Give a spreadsheet, have it checked; returns its row."""
    answer = give(client, cohort, text)
    assert answer.status_code == 302, words(answer)
    run_jobs()
    return MetadataFile.objects.latest("pk")


def at(name, file):
    return reverse(f"metadata_{name}", args=[file.pk])


def values_of(name):
    return Description.objects.get(accession__name=name).structured


def test_a_good_spreadsheet_waits_until_alice_has_seen_what_changes_and_applies_it(as_alice, cohort):
    make_images(cohort, 2, names=["one.jpg", "two.jpg"])
    answer = give(as_alice, cohort, "filename,sex,age\none.jpg,female,43\ntwo.jpg,male,50\n")
    waiting = words(as_alice.get(answer.url))
    assert "Being checked" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    run_jobs()
    file = MetadataFile.objects.get()
    ready = words(as_alice.get(answer.url))
    assert "2 images would change" in ready
    assert "every 1s" not in ready
    assert not MetadataVersion.objects.exists()
    preview = as_alice.get(at("preview", file))
    assert [(item["row"].field, item["row"].added) for item in preview.context["fields"]] == [("age", 2), ("sex", 2)]
    assert "Apply to 2 images" in words(preview)
    only_sex = as_alice.get(at("preview", file), {"field": "sex"})
    assert only_sex.context["preview"].total == 2
    assert as_alice.post(at("apply", file), {"reason": "First reading."}).url == answer.url
    assert "Being applied" in words(as_alice.get(answer.url))
    run_jobs()
    assert "2 images have new values" in words(as_alice.get(answer.url))
    assert (values_of("one.jpg")["age"], values_of("two.jpg")["sex"]) == (43, "male")


def test_undoing_says_what_changed_since_and_takes_it_back_when_told(as_alice, cohort, alice):
    images = make_images(cohort, 2, names=["one.jpg", "two.jpg"])
    file = given(as_alice, cohort, "filename,sex\none.jpg,female\ntwo.jpg,male\n")
    as_alice.post(at("apply", file))
    run_jobs()
    changed = as_alice.post(reverse("image_correct", args=[images[0].key]), {"sex": "male", "reason": "Mistyped."})
    assert changed.status_code == 302
    page = words(as_alice.get(at("undo", file)))
    assert "1 image was changed after the spreadsheet was applied" in page
    assert as_alice.post(at("undo", file)).status_code == 302
    run_jobs()
    page = words(as_alice.get(at("file", file)))
    assert "1 image is as before. 1 image has changed since and was left as they are" in page.replace("  ", " ")
    assert "Take these back all the same" in page
    assert "sex was changed after the spreadsheet was applied." in page
    assert (values_of("one.jpg"), values_of("two.jpg")) == ({"sex": "male"}, {})
    as_alice.post(at("undo", file), {"accept_conflicts": "on"})
    run_jobs()
    assert values_of("one.jpg") == {}
    assert "Take these back" not in words(as_alice.get(at("file", file)))


def test_columns_are_asked_about_and_chosen(as_alice, cohort):
    make_images(cohort, 1, names=["one.jpg"])
    file = given(as_alice, cohort, "bild;gender;diagnosys;room;secret\none.jpg;female;Nevus;7;x\n")
    page = as_alice.get(at("columns", file))
    states = {column["column"]: column["state"]["label"] for column in page.context["columns"]}
    assert states == {
        "bild": "Unknown",
        "gender": "Known",
        "diagnosys": "Did you mean?",
        "room": "Unknown",
        "secret": "Unknown",
    }
    assert "one.jpg" in words(page)
    choice = {
        "use-0": "field:filename",
        "use-1": "field:sex",
        "use-2": "field:diagnosis",
        "use-3": "unstructured",
        "use-4": "ignore",
    }
    assert as_alice.post(at("columns", file), choice).url == at("file", file)
    run_jobs()
    file.refresh_from_db()
    assert file.state == "ready", file.report["groups"]
    # What only repeats the names of the columns is not kept as a choice.
    assert set(file.mapping) == {"bild", "diagnosys", "secret"}
    (row,) = as_alice.get(at("preview", file)).context["preview"].rows
    assert {change.field for change in row.changes} == {"sex", "diagnosis", "room"}


def test_two_columns_cannot_be_one_field_and_nothing_chosen_is_lost(as_alice, cohort):
    make_images(cohort, 1, names=["one.jpg"])
    file = given(as_alice, cohort, "filename;a;b\none.jpg;male;male\n")
    refused = as_alice.post(
        at("columns", file), {"use-0": "field:filename", "use-1": "field:sex", "use-2": "field:sex"}
    )
    assert refused.status_code == 400
    assert "are both to become" in words(refused)
    assert [column["choice"] for column in refused.context["columns"]][1:] == ["field:sex", "field:sex"]


def test_names_without_an_image_are_chosen_typed_or_left_out(as_alice, cohort):
    make_images(cohort, 4, names=["lesion_01.jpg", "lesion_02.jpg", "other.jpg", "last.jpg"])
    sheet = "filename;sex\nlesion-01.jpg;male\nnowhere;male\nnothing;female\nlast;female\n"
    file = given(as_alice, cohort, sheet)
    page = as_alice.get(at("names", file))
    rows = {row["name"]: row for row in page.context["rows"]}
    assert set(rows) == {"lesion-01.jpg", "nowhere", "nothing"}
    first = rows["lesion-01.jpg"]["candidates"][0]
    assert first["name"] == "lesion_01.jpg"
    assert first["thumbnail_url"] in words(page)
    wrong = as_alice.post(at("names", file), {"other-1": "othr.jpg", "start": "0"})
    assert wrong.status_code == 400
    assert "Did you mean other.jpg?" in words(wrong)
    chosen = {"match-0": first["value"], "match-1": "other", "other-1": "other", "match-2": "out", "start": "0"}
    assert as_alice.post(at("names", file), chosen).url == at("file", file)
    run_jobs()
    file.refresh_from_db()
    assert (file.state, file.report["matched"], file.report["left_out"]) == ("ready", 3, 1)
    again = as_alice.get(at("names", file)).context["rows"]
    assert {row["name"]: row["decided"] for row in again} == dict.fromkeys(rows, True)


def test_all_names_that_are_not_decided_can_be_left_out_at_once(as_alice, cohort):
    make_images(cohort, 1, names=["one.jpg"])
    lines = "".join(f"gone{number}.jpg;male\n" for number in range(60))
    file = given(as_alice, cohort, f"filename;sex\none.jpg;male\n{lines}")
    assert len(as_alice.get(at("names", file)).context["rows"]) == 50
    as_alice.post(at("names", file), {"all": "out", "start": "0"})
    run_jobs()
    file.refresh_from_db()
    assert (file.report["left_out"], file.report["unmatched_count"]) == (60, 0)


BAD = "filename;sex;age\n" + "".join(f"{number}.jpg;femal;40\n" for number in range(60)) + "60.jpg;mael;two\n"


def test_problems_stand_by_cause_and_are_replaced_everywhere_at_once(as_alice, cohort):
    make_images(cohort, 61, names=[f"{number}.jpg" for number in range(61)])
    file = given(as_alice, cohort, BAD)
    overview = words(as_alice.get(at("file", file)))
    assert "62 problems found. Nothing was applied" in overview
    page = as_alice.get(at("problems", file))
    assert [(group["column"], group["count"]) for group in page.context["groups"]] == [("sex", 61), ("age", 1)]
    values = page.context["group"]["values"]
    assert [(found["value"], found["count"], found["typed"]) for found in values] == [
        ("femal", 60, "female"),
        ("mael", 1, "male"),
    ]
    assert (len(page.context["group"]["cells"]), page.context["group"]["next_url"] is None) == (50, False)
    replace = {
        "do": "values",
        "cause": "0",
        "column": "sex",
        "old-0": "femal",
        "new-0": "female",
        "old-1": "mael",
        "new-1": "",
    }
    assert as_alice.post(at("problems", file), replace).status_code == 302
    run_jobs()
    file.refresh_from_db()
    assert file.report["problem_count"] == 2


def test_single_cells_are_corrected_and_the_others_kept(as_alice, cohort):
    make_images(cohort, 3, names=["0.jpg", "1.jpg", "2.jpg"])
    file = given(as_alice, cohort, "filename;sex\n0.jpg;femal\n1.jpg;x\n2.jpg;male\n")
    cells = as_alice.get(at("problems", file)).context["group"]["cells"]
    assert [(cell["key"], cell["value"]) for cell in cells] == [("2-1", "femal"), ("3-1", "x")]
    send = {"do": "cells", "was-2-1": "femal", "cell-2-1": "female", "was-3-1": "x", "cell-3-1": "x"}
    nothing = as_alice.post(at("problems", file), send | {"cell-2-1": "femal"})
    assert (nothing.status_code, "Nothing was corrected" in words(nothing)) == (400, True)
    done = as_alice.post(at("problems", file), send, follow=True)
    assert "Every row is being checked" in words(done)
    assert done.redirect_chain == [(f"{at('problems', file)}?cause=0", 302)]
    run_jobs()
    file.refresh_from_db()
    assert [problem["line"] for problem in file.report["problems"]] == [3]
    edit = file.edits.get()
    assert (edit.line, edit.column, edit.value, edit.by.email) == (2, "sex", "female", "alice@example.org")


def test_of_two_cells_that_contradict_each_other_either_is_corrected(as_alice, cohort):
    make_images(cohort, 1, names=["0.jpg"])
    sheet = "filename;image_type;dermoscopic_type\n0.jpg;clinical: overview;contact polarized\n"
    file = given(as_alice, cohort, sheet)
    (cell,) = as_alice.get(at("problems", file)).context["group"]["cells"]
    assert cell["key"] == "2-2"
    said = "clinical: overview"
    assert cell["other"] == {"column": "image_type", "value": said, "typed": said, "key": "2-1"}
    send = {"do": "cells", "was-2-2": "contact polarized", "cell-2-2": "contact polarized"}
    as_alice.post(at("problems", file), send | {"was-2-1": "clinical: overview", "cell-2-1": "dermoscopic"})
    run_jobs()
    file.refresh_from_db()
    assert (file.state, file.report["problem_count"]) == ("ready", 0)
    assert [(edit.column, edit.value) for edit in file.edits.all()] == [("image_type", "dermoscopic")]


def test_ones_own_sheet_comes_back_with_an_error_column(as_alice, cohort):
    make_images(cohort, 1, names=["0.jpg"])
    file = given(as_alice, cohort, "filename;sex;note\n0.jpg;femal;kept\n")
    answer = as_alice.get(at("errors", file))
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert (row["note"], row["sex"]) == ("kept", "femal")
    assert "female" in row["medtheca_errors"]


def test_what_strangers_wrote_into_cells_is_escaped(as_alice, cohort):
    make_images(cohort, 1, names=["0.jpg"])
    script = "<script>alert(1)</script>"
    file = given(as_alice, cohort, f"filename;sex;{script}\n0.jpg;{script};x\n{script};male;y\n")
    for name in ("file", "columns", "names", "problems", "preview"):
        page = words(as_alice.get(at(name, file)))
        assert script not in page
        assert "&lt;script&gt;" in page


def test_published_images_are_changed_only_with_a_reason(as_alice, cohort):
    make_images(cohort, 1, names=["0.jpg"], visibility="public")
    file = given(as_alice, cohort, "filename;sex\n0.jpg;male\n")
    page = words(as_alice.get(at("preview", file)))
    assert "everybody can read the reason" in page
    answer = as_alice.post(at("apply", file), follow=True)
    assert "needs a reason" in words(answer)
    assert as_alice.post(at("apply", file), {"reason": "Second reading."}).url == at("file", file)
    run_jobs()
    assert values_of("0.jpg")["sex"] == "male"


def test_a_file_that_is_no_table_is_told_and_not_a_failure(as_alice, cohort):
    answer = give(as_alice, cohort, "\x00\x01\x02")
    run_jobs()
    page = words(as_alice.get(answer.url))
    assert "Has problems" in page
    assert "The file cannot be read: correct it and give it again." in page


def test_a_spreadsheet_is_needed_and_a_recipe_is_one_we_know(as_alice, cohort):
    assert "required" in words(as_alice.post(f"/cohorts/{cohort.pk}/metadata/", {}))
    assert "valid choice" in words(give(as_alice, cohort, "filename\n", recipe="nonsense"))
    assert not MetadataFile.objects.exists()


def test_spreadsheets_are_listed_with_their_states_and_deleted_while_they_changed_nothing(as_alice, cohort):
    address = reverse("metadata_files", args=[cohort.pk])
    assert "No spreadsheet yet" in words(as_alice.get(address))
    make_images(cohort, 1, names=["0.jpg"])
    applied = given(as_alice, cohort, "filename;sex\n0.jpg;male\n")
    as_alice.post(at("apply", applied))
    run_jobs()
    bad = given(as_alice, cohort, "filename;sex\n0.jpg;x\n")
    page = words(as_alice.get(address))
    assert "Applied" in page
    assert "1 problem; nothing was applied" in page
    assert as_alice.post(at("discard", bad)).url == address
    assert as_alice.post(at("discard", applied)).status_code == 409
    assert [file.pk for file in MetadataFile.objects.all()] == [applied.pk]


def test_correcting_one_image_asks_for_a_reason_once_it_is_published(as_alice, cohort):
    (image,) = make_images(cohort, 1, names=["0.jpg"], visibility="public", structured={"sex": "male"})
    address = reverse("image_correct", args=[image.public_id])
    page = as_alice.get(address)
    assert page.context["form"]["sex"].value() == "male"
    refused = as_alice.post(address, {"sex": "female"})
    assert "required" in words(refused)
    wrong = as_alice.post(address, {"sex": "male", "age": "old", "reason": "Typed."})
    assert wrong.context["form"]["age"].errors
    nothing = as_alice.post(address, {"sex": "male", "reason": "Typed."})
    assert "Nothing was changed." in words(nothing)
    assert as_alice.post(address, {"sex": "female", "reason": "Mistyped before."}).status_code == 302
    version = MetadataVersion.objects.get(accession=Accession.objects.get(image=image), structured__sex="female")
    assert (version.reason, version.creator.email) == ("Mistyped before.", "alice@example.org")


def test_charlie_corrects_nothing(as_charlie, cohort):
    (public,) = make_images(cohort, 1, visibility="public")
    (private,) = make_images(cohort, 1)
    assert as_charlie.get(reverse("image_correct", args=[public.public_id])).status_code == 403
    assert as_charlie.get(reverse("image_correct", args=[private.key])).status_code == 404
