"""Values of sockets from real files: pictures are decoded in the sandbox, masks are converted and then checked."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.base.errors import Invalid
from medtheca.domains.provenance.models import Accession
from medtheca.domains.sockets.defining import define_socket
from medtheca.domains.sockets.models import Value
from medtheca.toolkit.sockets.definitions import Definition
from medtheca.workflows.filling import fill_socket
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import keep, make_wide_scopes, use_data_folder
from tests.generators.volumes import mha, nifti

pytestmark = pytest.mark.django_db(transaction=True)

SEGMENTS = [{"name": "Lung", "visible": True, "voxel_value": 1}, {"name": "Nodule", "visible": True, "voxel_value": 2}]


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    make_wide_scopes()


@pytest.fixture
def sam():
    return make_user("sam")


def socket_of(sam, kind, **said):
    return define_socket(creator=sam, definition=Definition(f"Of kind {kind}", kind, **said))


def png(pixels):
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_decoded_before_it_is_a_value(sam):
    socket = socket_of(sam, "PNG")
    good = png(np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    made = fill_socket(socket=socket, creator=sam, blob=keep(good), filename="a.png")
    assert (made.filename, made.media_type) == ("a.png", "image/png")
    # Its chunks follow each other as they should; the pixels in them are damaged.
    at = good.index(b"IDAT") + 40
    damaged = good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
    with pytest.raises(Invalid) as refused:
        fill_socket(socket=socket, creator=sam, blob=keep(damaged), filename="a.png")
    assert refused.value.problems[0].code in {"corrupt", "truncated"}
    assert Value.objects.get() == made


def test_a_png_is_no_jpeg(sam):
    blob = keep(png(np.zeros((9, 9), np.uint8)))
    with pytest.raises(Invalid, match="It is a PNG picture, and has to be a JPEG"):
        fill_socket(socket=socket_of(sam, "JPEG"), creator=sam, blob=blob, filename="a.jpeg")


def masks():
    """Masks in three formats with the labels 0, 1, 2, one with a label too many, and a scan."""
    labels = np.zeros((1, 6, 16, 16), np.uint8)
    labels[0, 2:4, 4:8, 4:8], labels[0, 4, 5, 5] = 1, 2
    wrong = labels.copy()
    wrong[0, 5, 5, 5] = 9
    scan = np.random.default_rng(2).integers(-1000, 1000, (1, 6, 16, 16)).astype(np.int16)
    return [
        ("labels.mha", mha(labels)),
        ("labels.nii", nifti(labels.astype(np.float32))),
        ("labels.png", png(labels[0, 4])),
        ("wrong.mha", mha(wrong)),
        ("scan.mha", mha(scan)),
    ]


def test_masks_are_converted_and_their_labels_checked(sam):
    deliver(sam, make_cohort(sam), make_zip(masks()))
    run_jobs()
    images = {row.name: row.image for row in Accession.objects.select_related("image")}
    assert set(images) == {name for name, _ in masks()}
    socket = socket_of(sam, "SEG", overlay_segments=SEGMENTS)
    for name in ("labels.mha", "labels.nii", "labels.png"):
        assert fill_socket(socket=socket, creator=sam, image=images[name]).image == images[name], name
    with pytest.raises(Invalid, match="it has the values 9, which the socket gives no meaning"):
        fill_socket(socket=socket, creator=sam, image=images["wrong.mha"])
    with pytest.raises(Invalid, match="its values are not labels"):
        fill_socket(socket=socket, creator=sam, image=images["scan.mha"])
    with pytest.raises(Invalid, match="1 volumes after each other"):
        fill_socket(socket=socket_of(sam, "DSPF"), creator=sam, image=images["scan.mha"])
