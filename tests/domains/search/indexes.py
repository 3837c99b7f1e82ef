"""What a process has of the index, beside the tables."""

from contextlib import contextmanager

from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.index.holding import HOLDER
from medtheca.domains.search.index.reading import read_archive
from medtheca.domains.search.index.snapshots import one_snapshot
from tests.plugins.server import fresh_database, speaking_to


@contextmanager
def own_database(blocker):
    """Transactions that are committed, in a database of the test's own: other processes shall see them."""
    HOLDER.forget()
    with fresh_database() as (name, _), speaking_to(name), blocker.unblock():
        yield
    HOLDER.forget()


def differences(holder=HOLDER):
    """In what the index of a process differs from the tables in the very same snapshot."""
    with one_snapshot(), holder.view() as view:
        assert view is not None, "SQL would have to answer"
        return read_archive().differences(view.archive)


def answers(holder=HOLDER):
    with one_snapshot(), holder.view() as view:
        return view is not None


def refuse(image_ids):
    """Let accessions go of their images, as only a refusal or an erasure does."""
    rows = Accession.objects.filter(image__in=image_ids)
    rows.update(image=None, state="refused", original=None, published=None)
