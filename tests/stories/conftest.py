"""A real `medtheca up`, and people who talk to its API as programs do."""

import time

import httpx
import pytest

from tests.plugins.archive import Archive

PATIENCE = 180
PASSWORD = "correct horse battery staple"


class Program:
    """A program of somebody's, with a token of theirs."""

    def __init__(self, archive, email, *, staff=False):
        self.email = email
        options = ("--staff",) if staff else ()
        archive.command("user", "create", email, "--accepted-terms", "--password-stdin", *options, input=PASSWORD)
        secret = archive.command("token", "create", email, "--name", "story", "--scope", "write").split()
        self.secret = next(word for word in secret if word.startswith("mt_"))
        self.client = httpx.Client(
            base_url=f"{archive.url}/api/v2/", headers={"Authorization": f"Bearer {self.secret}"}, timeout=60
        )
        self.id = self.get("users/me/")["id"]

    def ask(self, method, path, given=None, *, status=(200, 201, 202, 204), **options):
        answer = self.client.request(method, path, **({"json": given} if given is not None else {}), **options)
        expected = (status,) if isinstance(status, int) else status
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.content else answer

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, given, **options):
        return self.ask("POST", path, given, **options)

    def walk(self, path):
        """Every row of a list."""
        rows = []
        while path:
            page = self.get(path)
            rows += page["results"]
            path = page["next"]
        return rows

    def until(self, path, good, bad=()):
        """Ask for a thing until its state is one of the good ones."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.get(path)
            if found["state"] in good:
                return found
            assert found["state"] not in bad, found
            time.sleep(0.3)
        raise AssertionError(f"{path} is still {found['state']} after {PATIENCE} s: {found}")


@pytest.fixture
def archive(tmp_path):
    running = Archive(tmp_path / "data")
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())  # pytest shows this where the test has failed


@pytest.fixture
def program(archive):
    """Makes a person with a token."""
    made = []

    def make(name, **options):
        made.append(Program(archive, f"{name}@example.org", **options))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
