"""`medtheca pins`: Sam of the staff."""

import json

import pytest
from click.testing import CliRunner

from medtheca.interfaces.cli.pins import pins
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def run(*words, by="sam", exit_code=0):
    done = CliRunner().invoke(pins, [*words, "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def test_images_are_pinned_put_in_order_and_unpinned():
    make_user("sam")
    one, two, three = [row.public_id for row in make_images(make_cohort(make_user("alice")), 3, visibility="public")]
    assert "No image is pinned" in run("list")
    assert run("add", one, two) == f"1\t{one}\tpublic\n2\t{two}\tpublic\n"
    # All of them, or none.
    assert "There is no image ISIC_0000000" in run("add", three, "ISIC_0000000", exit_code=1)
    assert [row["image"] for row in json.loads(run("order", two, one, "--json"))] == [two, one]
    assert f"{one} is pinned, and not named" in run("order", two, exit_code=1)
    assert run("remove", two) == f"1\t{one}\tpublic\n"
    for words in (["list"], ["add", two], ["remove", one], ["order", one]):
        assert "Only staff may pin images" in run(*words, by="alice", exit_code=1)
