"""Spreadsheets of values as tests make and bring them, and what items hold."""

import csv
import io

from medtheca.domains.archives.enums import ImportState
from medtheca.domains.archives.importing import (
    begin_applying,
)
from medtheca.domains.archives.items import put_values
from medtheca.domains.archives.models import ItemValue
from medtheca.domains.sockets.operations import create_value
from medtheca.workflows.archiving.applying_values import apply_values
from medtheca.workflows.archiving.checking_values import check_values
from medtheca.workflows.archiving.value_sheets import give_values


def sheet(*rows, delimiter=","):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def bring(archive, user, data, *, name="values.csv", apply=True, **more):
    """The spreadsheet after its check, and its application where it is ready."""
    given_one = give_values(archive=archive, user=user, name=name, data=data, work_now=True, **more)
    check_values(import_id=given_one.pk)
    given_one.refresh_from_db()
    if apply and given_one.state == ImportState.READY:
        begin_applying(given=given_one, actor=user, work_now=True)
        apply_values(import_id=given_one.pk)
        given_one.refresh_from_db()
    return given_one


def held(item):
    return {
        row.socket.slug: row.value.value
        for row in ItemValue.objects.filter(item=item).select_related("socket", "value")
    }


def put(item, socket, **what):
    value = create_value(socket=socket, creator=None, **what)
    put_values(item=item, actor=item.creator, values=[value])
    return value
