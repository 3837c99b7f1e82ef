"""`medtheca archive logo`: Alice edits the archive, Bob is one of its users."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.archives.models import Archive
from medtheca.domains.storage.opening import read_blob
from medtheca.interfaces.cli.archive import archive as command
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.pictures import corners, pixels_of, quarters, saved
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def archive(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    return make_archive(make_user("alice"), users=[make_user("bob")])


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(saved(quarters()))
    return path


def run(*words, by="alice", exit_code=0):
    done = CliRunner().invoke(command, ["logo", "chest-ct", *map(str, words), "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def logo():
    return corners(pixels_of(read_blob(Archive.objects.get().logo.sha256)))


def test_a_logo_is_chosen_cropped_and_removed(picture):
    assert run(picture) == "logo.png is the logo of Chest CT now.\n"
    assert logo() == [RED, GREEN, BLUE, WHITE]
    told = json.loads(run(picture, "--crop", "0,0,650", "--json"))
    assert told == {"archive": "chest-ct", "logo": Archive.objects.get().logo.sha256}
    assert logo() == [RED, RED, BLUE, BLUE]
    assert "removed" in run("--remove")
    assert Archive.objects.get().logo is None
    assert json.loads(run("--remove", "--json"))["logo"] is None


def test_refusals_say_what_would_be_right(picture, tmp_path):
    small = tmp_path / "small.jpg"
    small.write_bytes(saved(quarters(600, 600), "JPEG"))
    assert "600 by 600 pixels; 640" in run(small, exit_code=1)
    assert "660 at most" in run(picture, "--crop", "900,0,640", exit_code=1)
    assert "Only editors" in run(picture, by="bob", exit_code=1)
    assert "as 0,120,640" in run(picture, "--crop", "middle", exit_code=2)
    assert "does not exist" in run(tmp_path / "none.png", exit_code=2)
    for words in ((), (picture, "--remove"), ("--remove", "--crop", "0,0,640")):
        assert "either a FILE" in run(*words, exit_code=2)
    assert Archive.objects.get().logo is None
