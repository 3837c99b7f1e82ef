"""What a spreadsheet program would run comes out of no sheet that we write, and goes back in as it was."""

import csv
import io

import pytest

from medtheca.domains.metadata.models import SheetRow
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.describe import sheet_with_errors
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import use_data_folder
from tests.generators.workbooks import make_workbook
from tests.workflows.describing import check


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    make_images(cohort, 2, names=["img_00.jpg", "img_01.jpg"])
    return cohort


def test_a_colleagues_cells_run_nothing_either_and_come_back_as_they_were(alice, cohort):
    rows = [["filename", "note", "+x"], ["img_00", "=HYPERLINK(1)", "-0.5"], ["img_01", "@SUM(1)", "-1+2"]]
    for name, given in (
        ("a.csv", "\r\n".join(",".join(row) for row in rows).encode()),
        ("a.xlsx", make_workbook({"Sheet": rows})),
    ):
        file = check(alice, cohort, given, name=name)
        back = sheet_with_errors(user=alice, file_id=file.pk)
        cells = [cell for row in csv.reader(io.StringIO(back.decode("utf-8-sig"), newline="")) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))] == ["-0.5"]
        again = check(alice, cohort, back)
        assert (
            SheetRow.objects.get(file=again, line=2).unstructured
            == SheetRow.objects.get(file=file, line=2).unstructured
        )
        assert SheetRow.objects.get(file=again, line=3).unstructured["note"] == [None, "@SUM(1)"]
