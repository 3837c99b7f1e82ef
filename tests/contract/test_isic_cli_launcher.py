"""`medtheca isic …` and the other ways to point the real isic-cli at an archive, as `docs/isic-cli.md` has them."""

import os
import subprocess
import sys

import pytest

from tests.contract.isic import VERSIONS, IsicCli


@pytest.fixture(params=VERSIONS)
def isic(request, archive, tmp_path):
    return IsicCli(request.param, archive.url, tmp_path)


def launch(isic, *words, **variables):
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "isic", *words],
        env=isic.variables | variables,
        cwd=isic.home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def beside(isic):
    """A PATH on which its `isic` is found before others."""
    return os.pathsep.join([str(isic.python.parent), os.environ["PATH"]])


def test_the_launcher_runs_what_is_on_the_path(isic):
    code, said = launch(isic, "--host", isic.host, "--no-version-check", "collection", "list", PATH=beside(isic))
    assert code == 0, said
    assert "Pinned" in said
    code, said = launch(
        isic,
        "--no-version-check",
        "image",
        "download",
        "-s",
        "sex:((",
        "out",
        PATH=beside(isic),
        MEDTHECA_ISIC_HOST=isic.host,
    )
    assert code == 2, said
    assert "Invalid search query string" in said


def test_the_launcher_runs_what_is_named(isic):
    code, said = launch(isic, "--host", isic.host, "--python", str(isic.python), "--version")
    assert (code, isic.version in said) == (0, True), said


def test_the_launcher_says_what_is_missing(isic, tmp_path):
    code, said = launch(isic, "--version", PATH=str(tmp_path))
    assert (code, "pip install isic-cli" in said) == (1, True), said
    code, said = launch(isic, "--host", "ftp://example.org", "--version")
    assert (code, "is no address of an archive" in said) == (2, True), said


def test_a_proxy_variable_leads_dev_to_any_host(isic):
    """Plain HTTP only: the program asks the proxy for 127.0.0.1:8000, and the proxy is the archive itself."""
    kept = {name: value for name, value in isic.variables.items() if name != "NO_PROXY"}
    done = subprocess.run(
        [str(isic.python.with_name("isic")), "--dev", "--no-version-check", "collection", "list"],
        env=kept | {"http_proxy": isic.host, "no_proxy": "", "ISIC_DEV": "1"},
        cwd=isic.home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Pinned" in done.stdout
