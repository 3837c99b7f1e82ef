"""schemathesis over the whole OpenAPI, as nobody, a stranger, an owner and the staff.

No fault of the server's, no answer that is not as described, and nothing of another's. A part in CI, more every night.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from medtheca.domains.collections.operations import create_collection
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import request_publication
from tests.contract.environments import environment_with
from tests.factories.accounts import make_token, make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import server, speaking_to
from tests.plugins.thoroughness import examples
from tests.workflows.describing import check

__all__ = ["server"]
REQUIREMENT = "schemathesis==4.32.5"
SECRET = "zqxwv"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "nothing_of_others",
)
# Nothing of a person's may break what the next requests need: their own log-in.
LEFT_OUT = ("/api/v2/users/me/tokens/",)


@pytest.fixture(scope="module")
def tried(server, django_db_blocker):
    """Tokens of the people, and ids of things that are there, Alice's and Bob's alike."""
    with django_db_blocker.unblock(), speaking_to(server.database):
        people = {name: make_user(name) for name in ("alice", "bob", "charlie")}
        people["sam"] = make_user("sam")
        ids = {}
        for name, word in (("alice", "open"), ("bob", SECRET)):
            for kind, keys in fill(people[name], word).items():
                ids.setdefault(kind, []).extend(keys)
        tokens = {name: make_token(person, "write")[1] for name, person in people.items()}
    return {"ids": ids, "tokens": tokens}


def fill(person, word):
    """A contributor, a cohort and all that hangs on it, with a word in every text; ids by the names of parameters."""
    cohort = make_cohort(person, name=f"{word} cohort", attribution=f"{word} attribution")
    person.first_name = word
    person.save()
    private = make_images(cohort, 2, names=[f"{word}{at}.jpg" for at in range(2)], structured={"sex": "male"})
    accessions = list(Accession.objects.filter(cohort=cohort).values_list("pk", flat=True))
    delivery = make_delivery(cohort, [{"path": f"{word}.jpg", "outcome": "refused"}])
    request = request_publication(cohort=cohort, requester=person, visibility="public", accession_ids=accessions[:1])
    file = check(person, cohort, f"filename,sex\n{word}0.jpg,female\n{word}7.jpg,{word}\n", name=f"{word}.csv")
    collection = create_collection(creator=person, name=f"{word} collection", description=word, public=False)
    found = {
        "cohort_id": [cohort.pk],
        "contributor_id": [cohort.contributor_id],
        "accession_id": accessions,
        "isic_id": [str(image.key) for image in private],
        "collection_id": [collection.pk],
        "upload_id": [str(delivery.pk)],
        "request_id": [request.pk],
        "file_id": [file.pk],
        "user_id": [person.pk],
    }
    if word != SECRET:
        public = make_images(cohort, 1, visibility="public", structured={"sex": "female", "age": 40})
        found["isic_id"] += [image.public_id for image in public]
    return found


@pytest.mark.timeout(2400)
def test_the_api_is_as_it_is_described(server, tried, tmp_path):
    # In this order: staff may name Bob in Alice's cohort, and then she rightly reads his name.
    for name in ("nobody", "charlie", "alice", "sam"):
        _try(server, tried, name, tmp_path)


def _try(server, tried, name, tmp_path):
    python = environment_with(REQUIREMENT, python=(3, 11))
    token = tried["tokens"].get(name)
    told = {"ids": tried["ids"], "secret": "" if name == "sam" else SECRET}
    done = subprocess.run(
        [
            str(Path(python).with_name("st")),
            "run",
            f"{server.url}/api/v2/openapi.json",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={examples(6)}",
            "--phases=examples,fuzzing",
            "--seed=5",
            "--no-color",
            "--continue-on-failure",
            "--warnings=off",
            "--request-timeout=60",
            "--generation-database=none",
            # Wrong tokens are refused elsewhere (test_permissions), and after thirty of them everything is.
            "--generation-with-security-parameters=false",
            "--suppress-health-check=all",
            *(f"--exclude-path={path}" for path in LEFT_OUT),
            *(["--header", f"Authorization: Bearer {token}"] if token else []),
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(Path(__file__).parent),
            "MEDTHECA_TRIED": json.dumps(told),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"As {name}: {done.stdout[-20_000:]}{done.stderr[-2000:]}"
