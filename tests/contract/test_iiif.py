"""The IIIF Image API by the standard's own validator, at level 2, for a photograph and a slide of its test picture."""

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.decoding import close_decoder_pool
from tests.contract.environments import environment_with, give_up
from tests.factories.accounts import make_user
from tests.factories.cases import make_slide
from tests.factories.provenance import deliver, make_cohort, run_jobs
from tests.plugins.server import server, speaking_to, world

__all__ = ["server", "world"]

# Of level 2: fewer would mean that the validator has left some out.
LEAST_TESTS = 33
_COLOURS = "import json; from iiif_validator.validator import ValidationInfo as V; print(json.dumps(V().colorInfo))"


@pytest.fixture(scope="module")
def python():
    found = environment_with("iiif-validator==1.0.5", python=(3, 11))
    done = subprocess.run([found, "-c", _COLOURS], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        give_up(f"iiif-validator cannot be imported: {done.stderr.strip().splitlines()[-1]}")
    return found


@pytest.fixture(scope="module")
def squares(python):
    """A hundred squares of a hundred pixels, in the colours by which the validator knows each: (1000, 1000, 3)."""
    # Its modules greet whoever imports them, so the colours are in the last line.
    answer = subprocess.run([python, "-c", _COLOURS], capture_output=True, text=True, timeout=60, check=True)
    colours = np.array(json.loads(answer.stdout.splitlines()[-1]), np.uint8)
    return np.kron(colours.transpose(1, 0, 2), np.ones((100, 100, 1), np.uint8))


@pytest.fixture(scope="module")
def images(squares, server, django_db_blocker, tmp_path_factory):
    file = io.BytesIO()
    Picture.fromarray(squares).save(file, "PNG")
    with django_db_blocker.unblock(), speaking_to(server.database):
        alice = make_user("alice")
        cohort = make_cohort(alice)
        deliver(alice, cohort, file.getvalue(), filename="squares.png")
        run_jobs()
        photograph = Accession.objects.get(cohort=cohort, name="squares.png").image
        assign_public_ids(image_ids=[photograph.pk])
        set_visibility(image_ids=[photograph.pk], visibility="public")
        photograph.refresh_from_db()
        slide = make_slide(cohort, tmp_path_factory.mktemp("slide"), squares, visibility="public")
    close_decoder_pool()
    return {"photograph": photograph.public_id, "slide": slide.public_id}


@pytest.mark.parametrize("kind", ["photograph", "slide"])
def test_the_validator_finds_level_two(python, images, world, kind):
    script = str(Path(python).with_name("iiif-validate.py"))
    where = ["-s", f"localhost:{world.port}", "-p", "iiif", "-i", images[kind], "--version=3.0", "--level=2"]
    done = subprocess.run([python, script, *where], capture_output=True, text=True, timeout=240, check=False)
    said = done.stderr + done.stdout
    failed = {line.split()[2] for line in said.splitlines() if line.endswith("FAIL")}
    assert not failed, said
    assert said.count(" PASS") >= LEAST_TESTS, said


@pytest.mark.parametrize("kind", ["photograph", "slide"])
def test_a_frame_that_is_little_larger_is_no_wish_to_enlarge(images, world, kind):
    """The standard, 3.0 section 4.2: !w,h is "as large as possible but not larger than the extracted region"."""
    whole = world.request("GET", f"/iiif/{images[kind]}/full/!1500,3000/0/default.jpg")
    assert Picture.open(io.BytesIO(whole.content)).size == (1000, 1000)
    assert world.request("GET", f"/iiif/{images[kind]}/full/!2000,2000/0/default.jpg").status == 400
