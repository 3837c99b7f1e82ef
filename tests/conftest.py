"""What every test may use. Imported before Django's settings, because it decides the database."""

import os
import signal
import sys
from importlib.util import find_spec

import pytest

from tests.plugins import thoroughness
from tests.plugins.emptying import let_tests_empty_the_ledger
from tests.plugins.speed import hash_passwords_cheaply, keep_folders_in_memory

keep_folders_in_memory()

from tests.plugins.database import session_database  # noqa: E402 - it makes its folder when it is imported

assert thoroughness  # its profile has to be known before tests are collected
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")


def pytest_ignore_collect(collection_path, config):
    """Doctests are for the package: helpers of tests are scripts and data, some for other environments."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith("test_"):
        return True
    return None


def pytest_configure(config):
    # A shell starts what it puts into the background with Ctrl-C ignored, and so would be all that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if find_spec(os.environ["DJANGO_SETTINGS_MODULE"]) is not None:
        import django  # Only now: the environment above is what its settings read.

        django.setup()
        hash_passwords_cheaply()
        let_tests_empty_the_ledger()


def pytest_unconfigure(config):
    session_database.stop()


@pytest.fixture(scope="session")
def database_url():
    """Address of a running PostgreSQL server; the role may create databases."""
    return session_database.start()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_url):
    """pytest-django asks this before it makes the test database: the moment the server is needed.

    Migrations take long, and servers of tests copy a database with all tables: it is made for both.
    """
    from django.db import connections

    from tests.plugins.server import template

    connections["default"].settings_dict["TEST"]["TEMPLATE"] = template()


@pytest.fixture
def real_password_hashers(settings):
    """What a running instance hashes passwords with."""
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """The store is remembered, and a test with a folder of its own leaves that of its folder.

    Before any fixture: those of a module, which store files too, come before the ones of a test.
    """
    queries = sys.modules.get("medtheca.domains.storage.queries")
    if queries is None or not queries.blob_store.cache_info().currsize:
        return
    from django.conf import settings

    if getattr(queries.blob_store(), "_root", None) != settings.ENVIRONMENT.data / "blobs":
        queries.blob_store.cache_clear()


@pytest.fixture(autouse=True)
def _no_jobs_left(request):
    """A test with real transactions takes its jobs with it: Django empties its own tables only.

    And what was noted of the ledger, whose tables are emptied.
    """
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    from procrastinate.contrib.django.models import ProcrastinateJob

    from medtheca.domains.ledger.heads import heads_file

    request.getfixturevalue("transactional_db")
    yield
    ProcrastinateJob.objects.all()._raw_delete("default")
    heads_file().unlink(missing_ok=True)
