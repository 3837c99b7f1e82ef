"""A real `medtheca up` for third-party programs, and the people whom they act for."""

import subprocess
import sys

import pytest

from tests.contract.browsing import PASSWORD, Visitor
from tests.contract.gcapi import VERSIONS, GcApi
from tests.plugins.archive import Archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """`medtheca up` on a free port and a data folder of its own, one for each test module."""
    running = Archive(tmp_path_factory.mktemp("up") / "data")
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())  # pytest shows this where the test has failed


@pytest.fixture(scope="module")
def visitor(archive):
    """Makes somebody of a name with an account, logged in: `visitor("alice")`."""

    def meet(name, *, staff=False):
        email = f"{name}@example.org"
        words = ["user", "create", email, "--name", f"{name.title()} Example", "--accepted-terms", "--password-stdin"]
        done = subprocess.run(
            [sys.executable, "-m", "medtheca", *words, *(["--staff"] if staff else [])],
            env=archive.variables,
            input=PASSWORD + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = Visitor(archive.url, email)
        found.log_in()
        return found

    return meet


@pytest.fixture(scope="module")
def tls_archive(tmp_path_factory):
    """As `archive`, by https: `medtheca up --tls`, whose authority is `tls_archive.ca`."""
    running = Archive(tmp_path_factory.mktemp("up") / "data", tls=True)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())


@pytest.fixture(scope="module", params=VERSIONS)
def gcapi_of(request, tls_archive):
    """Makes somebody of a name with an account, a token and gcapi, in each of its versions: `gcapi_of("alice")`."""
    known = {}

    def meet(name, *, scope="write", **options):
        key = (name, scope, *sorted(options.items()))
        if key not in known:
            known[key] = GcApi(request.param, tls_archive, tls_archive.token(name, scope=scope), **options)
        return known[key]

    yield meet
    for one in known.values():
        one.close()
