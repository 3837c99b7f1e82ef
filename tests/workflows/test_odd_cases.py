"""Images of several files whose names, paths or descriptions are odd, long or made to do harm: each ends in words."""

from dataclasses import replace

import numpy as np
import pytest

from medtheca.base.errors import Conflict, NoSpace
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession, HeldFile, Verdict
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.casing import cases_among, examine_case
from medtheca.workflows.findings import Findings
from medtheca.workflows.receive import receive_delivery
from medtheca.workflows.reconvert import reconvert_batch
from medtheca.workflows.redact import request_redaction
from tests.factories.provenance import deliver, make_zip, run_jobs
from tests.generators import dicoms, volumes
from tests.generators.slides import tissue, write_mirax

pytestmark = pytest.mark.django_db


def send(alice, cohort, files):
    upload = deliver(alice, cohort, make_zip(files))
    run_jobs()
    assert not HeldFile.objects.exists()
    return {row.path: row for row in Verdict.objects.filter(delivery=upload)}


@pytest.fixture
def slide(tmp_path):
    folder = tmp_path / "slide"
    folder.mkdir()
    write_mirax(folder, tissue(512, 384))
    return [(f"s/{path.relative_to(folder)}", path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def test_the_case_of_a_folder_does_not_matter_where_it_is_clear(alice, cohort, slide):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    renamed = [(path.replace("/m/", "/M/"), data) for path, data in slide]
    found = send(alice, cohort, [("A/anat.mhd", header), ("a/anat.raw", data), *renamed])
    assert {path: row.outcome for path, row in found.items()} == dict.fromkeys(found, "accepted")
    assert sorted(Image.objects.values_list("kind", flat=True)) == ["slide", "volume"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("s/m/" + "/".join(["y" * 200] * 4) + "/a.dat", "path_too_long"),
        ("s/m/" + "字" * 200 + ".dat", "path_too_long"),
        ("s/m/Index.dat/x", "unsafe_path"),
        ("s/M/Index.dat", "unsafe_path"),
    ],
)
def test_a_slide_that_cannot_be_laid_out_is_refused(alice, cohort, slide, path, code):
    found = send(alice, cohort, [*slide, (path, b"abcd")])
    assert {(row.outcome, row.code) for row in found.values()} == {("refused", code)}
    assert not Accession.objects.exists()


def test_a_series_in_a_folder_with_the_longest_name_has_a_name(alice, cohort):
    slices = dicoms.series(dicoms.along([0, 3.0, 6.0]))
    found = send(alice, cohort, [("x" * 254 + f"/{place}.dcm", data) for place, data in enumerate(slices)])
    assert {row.outcome for row in found.values()} == {"accepted"}
    assert Accession.objects.get().name == "x" * 200 + ".dcm"


def test_single_pictures_of_two_discs_are_both_welcome(alice, cohort):
    pictures = [dicoms.dicom(dicoms.phantom(seed=number), Modality="CR") for number in range(2)]
    files = [(f"P00{number}/IM0001", data) for number, data in enumerate(pictures)]
    found = send(alice, cohort, files)
    assert {row.outcome for row in found.values()} == {"accepted"}
    assert set(Accession.objects.values_list("name", flat=True)) == {"IM0001", "IM0001-2"}
    again = send(alice, cohort, files)
    assert {row.code for row in again.values()} == {"already_here"}


def test_a_series_may_have_more_slices_than_files_may_be_open(alice, cohort):
    pixels = dicoms.phantom((8, 8), np.int16)
    slices = dicoms.series(dicoms.along([3.0 * place for place in range(300)]), pixels=[pixels] * 300)
    send(alice, cohort, [(f"s/{place}", data) for place, data in enumerate(slices)])
    assert Image.objects.get().depth == 300


def test_a_volume_is_not_redacted_and_that_is_said(alice, cohort):
    found = send(alice, cohort, [("a.mha", volumes.mha(volumes.draw()))])
    with pytest.raises(Conflict, match="Only photographs can be redacted, and this is a volume"):
        request_redaction(user=alice, accession_id=found["a.mha"].accession_id, boxes=[[0, 0, 1, 1]], reason="A name.")


def test_spacing_and_suspicions_are_those_of_todays_reader_after_a_reconversion(alice, cohort):
    slices = dicoms.series(dicoms.along([0, 3.0, 6.0]), BurnedInAnnotation="YES")
    found = send(alice, cohort, [(f"s/{place}", data) for place, data in enumerate(slices)])
    (accession,) = {row.accession for row in found.values()}
    suspected = accession.image.text_suspected
    assert suspected
    Image.objects.update(spacing_x=7.0, spacing_z=None, text_suspected="")
    assert reconvert_batch(accession_ids=[accession.pk]).made == [accession.pk]
    image = Image.objects.get()
    assert (image.spacing_x, image.spacing_y, image.spacing_z) == (1.0, 2.0, 3.0)
    assert image.text_suspected == suspected


def test_a_conversion_ends_before_it_takes_the_reserve_of_the_disk(alice, cohort, data, settings):
    upload = deliver(alice, cohort, volumes.mha(volumes.draw((400, 400, 150))), filename="a.mha")
    receive_delivery(upload_id=upload)
    accession = Accession.objects.get()
    parts = cases_among({1: accession.original}, {1: accession.name})[1]
    # The store was made when there was no reserve: only whoever looks while the decoder writes finds it touched.
    assert blob_store()
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, disk_reserve=2**62)
    with pytest.raises(NoSpace):
        examine_case(1, parts, into=Findings())
    assert not list((data / "blobs" / "staging").iterdir())
    assert not list((data / "cases").iterdir())
