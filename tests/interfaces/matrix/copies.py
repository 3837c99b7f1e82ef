"""De-identified DICOM: for owners and editors, as only they and staff may have it."""

from medtheca.base.clock import now
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession, DicomCopy
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from tests.interfaces.matrix import editors


def prepare(world):
    """The public image is of a DICOM file, of which a copy was made."""
    Image.objects.filter(pk=world.public.pk).update(format="dicom")
    accession = Accession.objects.get(image=world.public)
    source = accession.original.sha256
    DicomCopy.objects.create(accession=accession, state="made", made=now(), source=source, report={"files": 1})
    with keeping_blobs():
        staged = blob_store().stage([b"DICM"])
        blob = store_blobs([staged])[staged.sha256]
    ImageFile.objects.create(
        image=world.public, kind="dicom", blob=blob, media_type="application/dicom", recipe="test 1", source=source
    )


_PAGE = "accessions/<int:accession_id>/deidentified/"
_AT = "accessions/{public_accession}/deidentified/"

ROWS = [
    editors(_PAGE, 302, method="POST", address=_AT),
    editors(f"{_PAGE}file/", address=f"{_AT}file/"),
    editors(f"api/v2/{_PAGE}", address=f"api/v2/{_AT}"),
    editors(f"api/v2/{_PAGE}", 202, method="POST", address=f"api/v2/{_AT}"),
    editors(f"api/v2/{_PAGE}file/", address=f"api/v2/{_AT}file/"),
]
