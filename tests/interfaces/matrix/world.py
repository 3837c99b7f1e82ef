"""A small archive for the matrix: Alice's cohort with one thing of each kind, and the people who ask for them."""

from types import SimpleNamespace

from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import request_publication
from medtheca.domains.storage.models import Blob
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.matrix import PEOPLE

HOST = "localhost:8000"


def make_world():
    """The people, the cohort, the names of things by which addresses are filled in, and a client for each person."""
    persons = {name: make_user(name) for name in PEOPLE if name != "nobody"}
    alice = persons["alice"]
    cohort = make_cohort(alice)
    other = make_cohort(persons["bob"], name="Bob's")
    add_member(scope=cohort.scope, user=persons["edith"], role=Role.EDITOR)
    add_member(scope=cohort.scope, user=persons["rita"], role=Role.REVIEWER)
    (public,) = make_images(cohort, 1, visibility="public")
    private, asked, _ = make_images(cohort, 3)
    delivery = make_delivery(cohort, [{"path": "a.jpg", "outcome": "refused"}])
    request = request_publication(
        cohort=cohort,
        requester=alice,
        visibility="public",
        accession_ids=[Accession.objects.get(image=asked).pk],
    )
    file = MetadataFile.objects.create(
        cohort=cohort, creator=alice, name="values.csv", blob=Blob.objects.first(), state="applied", rows=1
    )
    return SimpleNamespace(
        people=persons,
        cohort=cohort,
        other_cohort=other,
        public=public,
        private=private,
        clients={name: _client(persons.get(name)) for name in PEOPLE},
        names={
            "cohort": cohort.pk,
            "other_cohort": other.pk,
            "contributor": cohort.contributor_id,
            "public": public.public_id,
            "private": str(private.key),
            "public_accession": Accession.objects.get(image=public).pk,
            "accession": Accession.objects.get(image=private).pk,
            "asked_accession": Accession.objects.get(image=asked).pk,
            "upload": str(delivery.pk),
            "request": request.pk,
            "file": file.pk,
            **{name: person.pk for name, person in persons.items()},
        },
    )


def _client(user):
    client = Client(headers={"host": HOST}, enforce_csrf_checks=False)
    if user is not None:
        client.force_login(user)
        client.cookies["csrftoken"] = "c" * 32
    return client
