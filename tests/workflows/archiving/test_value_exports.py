"""What is exported as a spreadsheet and imported unchanged changes nothing."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.domains.archives.enums import ImportState
from medtheca.domains.archives.importing import (
    put_away,
)
from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ImportedRow, Item
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.searching import sockets_in
from medtheca.domains.archives.table import exported
from medtheca.domains.sockets.operations import create_value
from medtheca.interfaces.http.spreadsheets import csv_lines
from medtheca.toolkit.sockets.sheets import LONGEST_CELL
from medtheca.toolkit.workbooks import write_workbook
from tests.factories.archives import image_socket, make_socket
from tests.factories.images import make_images
from tests.factories.storage import keep
from tests.workflows.archiving.values import bring, held, put

pytestmark = pytest.mark.django_db(transaction=True)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_WHOLE = st.integers(-(2**63), 2**63 - 1)
_JSON = st.recursive(
    st.none() | st.booleans() | _WHOLE | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "score": _NUMBERS | st.integers(-(2**53), 2**53),
            "count": _WHOLE,
            "healthy": st.booleans(),
            "report-text": _TEXTS
            | st.sampled_from(["=1+1", "-0.5", "'=x", "[clear]", "0042", " a ", "\r\n", "1e5", "true"]),
            "grade": st.sampled_from(["mild", "severe"]),
            "sides": st.lists(st.sampled_from(["left", "right", "both; really"]), max_size=3),
            "notes": _JSON,
        },
    ),
    min_size=1,
    max_size=4,
)


def as_csv(archive, una):
    return "".join(csv_lines(exported(items_of(archive), sockets_in(archive), una))).encode()


def as_workbook(archive, una):
    file = io.BytesIO()
    write_workbook(exported(items_of(archive), sockets_in(archive), una, longest=LONGEST_CELL, typed=True), file)
    return file.getvalue()


def unchanged(archive, una, data, name):
    again = bring(archive, una, data, name=name, apply=False)
    assert again.state == ImportState.READY, (again.report, list(ImportedRow.objects.values()))
    assert again.report["changed"] == 0, list(ImportedRow.objects.values())
    put_away(given=again, actor=una)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS, titles=st.lists(_TEXTS.map(lambda text: "".join(c for c in text if ord(c) >= 32)), max_size=4))
def test_what_is_exported_as_csv_changes_nothing_when_it_is_imported(archive, una, sockets, rows, titles):
    fill(archive, una, sockets, rows, titles)
    unchanged(archive, una, as_csv(archive, una), "values.csv")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_ROWS)
def test_what_is_exported_as_a_workbook_changes_nothing_when_it_is_imported(archive, una, sockets, rows):
    fill(archive, una, sockets, rows, [])
    unchanged(archive, una, as_workbook(archive, una), "values.xlsx")


def fill(archive, una, sockets, rows, titles):
    Item.objects.filter(archive=archive).delete()
    fresh = list(dict.fromkeys(title.strip() for title in titles))
    names = [fresh[at] if at < len(fresh) else "" for at in range(len(rows))]
    for item, row in zip(create_items(archive=archive, creator=una, titles=names), rows, strict=True):
        made = [create_value(socket=sockets[slug], creator=None, value=value) for slug, value in row.items()]
        put_values(item=item, actor=una, values=made)


@pytest.mark.parametrize("export", [as_csv, as_workbook])
def test_files_images_and_long_values_come_back_unchanged(archive, una, sockets, export):
    report = make_socket("Report", "PDF", scope=archive.scope, creator=archive.creator)
    pdf = keep(b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    (image,) = make_images(archive.cohort, 1)
    (item,) = create_items(archive=archive, creator=una, titles=["=P1"])
    put(item, report, blob=pdf, filename="-Befund.pdf")
    put(item, image_socket(), image=image)
    put(item, sockets["report-text"], value="x" * 120_000)
    put(item, sockets["notes"], value={"long": "y" * 40_000})
    data = export(archive, una)
    unchanged(archive, una, data, f"values.{'csv' if export is as_csv else 'xlsx'}")
    assert json.dumps(held(item)["notes"]).count("y") == 40_000
