"""An erasure that is cut off anywhere goes on and ends right."""

import pytest

from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.bundles import Part
from medtheca.workflows.checking import Look, check_archive
from medtheca.workflows.erase import running
from tests.factories.layouts import leave_laid_out
from tests.workflows.erasing.archive import dump, marks_in, marks_in_folder, seal

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here."""


_POINTS = (
    "write_entry",
    "set_visibility",
    "cut_sheet",
    "remove_rows",
    "erase_bytes",
    "clean_database",
    "make_receipt",
    "scrub_reports",
    "give_up_replacements",
    "words.forget_notifications",
    "words.redact_ledger",
    "words.drop_copies",
    "words.scrub_tables",
    "words.scrub_sessions",
    "words.blot_files",
    "words.find_in_tables",
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", _POINTS)
def test_killed_anywhere_it_goes_on(archive, tmp_path, monkeypatch, point, when):
    module, _, name = f"{point}".rpartition(".")
    place = running.words if module else running
    real = getattr(place, name)

    def killed(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    erasure = archive.erase()
    with monkeypatch.context() as patched:
        patched.setattr(place, name, killed)
        with pytest.raises(Killed):
            running.erase_patient(erasure_id=erasure.pk)
    running.erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert erasure.receipt["removed"]["images"] == 3
    assert marks_in(dump(tmp_path)) == []
    assert marks_in_folder(archive.data) == {}
    seal()
    assert [str(violation) for violation in check_archive(Look(deep=True)).all] == []


def test_what_a_killed_worker_had_laid_out_goes_with_the_erasure(archive):
    mine = Accession.objects.exclude(original=None).first()
    leave_laid_out([Part("image.jpg", mine.original)])
    erasure = archive.erase()
    running.erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert list((archive.data / "cases").iterdir()) == []
