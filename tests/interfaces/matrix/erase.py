"""Patients, lesions and erasures. Edith and Rita are of a cohort only, and patients are the contributor's."""

from medtheca.domains.provenance.erasing import request_erasure
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.domains.storage.erased import note_erased
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

ERASED = "IP_9999999"
API_OF_ERASURE = "api/v2/erasures/<uuidstr:erasure_id>/"
OWNERS = (404, 404, 404, 200, 404, 200)
"""Charlie, Bob, Edith, Alice, Rita, Sam."""


def prepare(world):
    for name, patient, lesion in (
        ("public_accession", "MRN-1", "lesion-1"),
        ("accession", "MRN-1", "lesion-2"),
        ("asked_accession", "MRN-2", None),
    ):
        accession = Accession.objects.get(pk=world.names[name])
        link_subjects(contributor=world.cohort.contributor, rows=[(accession, patient, lesion)])
    world.names["patient"] = Patient.objects.get(private_id="MRN-1").public_id
    world.names["other_patient"] = Patient.objects.get(private_id="MRN-2").public_id
    world.names["public_lesion"] = Lesion.objects.get(private_id="lesion-1").public_id
    world.names["private_lesion"] = Lesion.objects.get(private_id="lesion-2").public_id
    alice = world.people["alice"]
    asked = request_erasure(user=alice, patient_public_id=world.names["patient"], reason="patient")
    world.names["erasure"] = str(asked.pk)
    note_erased([ERASED])


def _owners(method, route, address, status=200, *, nobody=LOGIN, data=None, alice=None):
    others = (404, 404, 404, alice or status, 404, status)
    return Row(method, route, cells(nobody, *others), address=address, data=data)


def _ask(world):
    return {"patient": world.names["other_patient"], "reason": "consent"}


def _typed(world):
    return {"patient": world.names["patient"]}


ROWS = [
    people("patients/"),
    _owners("GET", "patients/<str:public_id>/", "patients/{patient}/"),
    everybody("patients/<str:public_id>/", 410, address=f"patients/{ERASED}/"),
    everybody("lesions/"),
    everybody("lesions/<str:public_id>/", address="lesions/{public_lesion}/"),
    Row(
        "GET",
        "lesions/<str:public_id>/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="lesions/{private_lesion}/",
    ),
    people("erasures/"),
    people("erasures/new/", 404),
    _owners("GET", "erasures/new/", "erasures/new/?patient={other_patient}"),
    _owners("POST", "erasures/new/", "erasures/new/?patient={other_patient}", 302, data={"reason": "consent"}),
    _owners("GET", "erasures/<uuid:erasure_id>/", "erasures/{erasure}/"),
    # Alice asked, so she is not the second person.
    _owners(
        "POST",
        "erasures/<uuid:erasure_id>/confirm/",
        "erasures/{erasure}/confirm/",
        302,
        data=_typed,
        alice=403,
    ),
    _owners("POST", "erasures/<uuid:erasure_id>/decline/", "erasures/{erasure}/decline/", 302, data={"because": "No."}),
    people("erasures/<uuid:erasure_id>/receipt.json", 404, address="erasures/{erasure}/receipt.json"),
    # The API of the same.
    people("api/v2/patients/"),
    _owners("GET", "api/v2/patients/<public_id>/", "api/v2/patients/{patient}/", nobody=401),
    _owners(
        "GET",
        "api/v2/patients/<public_id>/erasure-preview/",
        "api/v2/patients/{patient}/erasure-preview/",
        nobody=401,
    ),
    everybody("api/v2/lesions/"),
    everybody("api/v2/lesions/<public_id>/", address="api/v2/lesions/{public_lesion}/"),
    Row(
        "GET",
        "api/v2/lesions/<public_id>/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/lesions/{private_lesion}/",
    ),
    people("api/v2/erasures/"),
    _owners("POST", "api/v2/erasures/", "api/v2/erasures/", 201, nobody=401, data=_ask),
    _owners("GET", API_OF_ERASURE, "api/v2/erasures/{erasure}/", nobody=401),
    _owners(
        "POST", f"{API_OF_ERASURE}confirm/", "api/v2/erasures/{erasure}/confirm/", nobody=401, data=_typed, alice=403
    ),
    _owners(
        "POST", f"{API_OF_ERASURE}decline/", "api/v2/erasures/{erasure}/decline/", nobody=401, data={"because": "No."}
    ),
]
