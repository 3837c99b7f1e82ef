"""Sheets given, checked, applied and undone in one call each, for tests."""

from medtheca.domains.metadata.models import Description
from medtheca.workflows.describe import apply_file, describe_file, give_metadata, undo_file


def check(user, cohort, content, *, name="sheet.csv", **options):
    """Give a sheet and let it be checked; the file, `ready` or `invalid`."""
    data = content if isinstance(content, bytes) else content.encode()
    options = {"apply_when_ready": False} | options
    file = give_metadata(user=user, cohort_id=cohort.pk, name=name, data=data, **options)
    return work(file)


def work(file):
    """Do the file's job, and read it again."""
    describe_file(file_id=file.pk)
    file.refresh_from_db()
    return file


def apply(user, file, **options):
    apply_file(user=user, file_id=file.pk, **options)
    return work(file)


def undo(user, file, **options):
    undo_file(user=user, file_id=file.pk, **options)
    return work(file)


def said(name):
    """What is stored of the accession of this name: structured, unstructured."""
    found = Description.objects.filter(accession__name=name).first()
    return (found.structured, found.unstructured) if found else ({}, {})


def problems(file):
    return [(one["line"], one["column"], one["code"]) for one in file.report["problems"]]
