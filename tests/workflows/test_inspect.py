"""A dry run says what an upload would say, and leaves nothing behind, however it ends."""

import gzip
import io
import os
import time
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from medtheca.base.errors import Conflict, Invalid, NotFound, TooLarge
from medtheca.domains.provenance.models import Verdict
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.trials.models import Inspection
from medtheca.domains.trials.operations import sweep_inspections
from medtheca.domains.trials.queries import inspection_for
from medtheca.domains.trials.scratch import scratch_of, scratch_root
from medtheca.workflows import inspect
from medtheca.workflows.inspect import FOR_ANYBODY, Given, begin_inspection, inspect_given
from medtheca.workflows.upkeep import keep_up
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms, images, volumes, zip_cases, zips

SHEET = b"filename;sex\n1.jpg;male\n2.jpg;mal\ngone.jpg;male\n"


@pytest.fixture
def data(settings, tmp_path):
    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice(db, data):
    return make_user("alice")


def given(*files):
    return [Given(name, len(content), [content]) for name, content in files]


def every_kind():
    first, second = images.jpeg(seed=1), images.jpeg(seed=2)
    png = next(iter(images.pngs().values()))[0]
    return make_zip(
        [
            ("a/1.jpg", first),
            ("b/1.jpg", second),
            ("b/2.jpg", first),
            ("c/1.jpg", first),
            ("3.jpg", images.insert(first, images.comment_segment())),
            ("p.png", png),
            ("notes.txt", b"hello"),
            (".DS_Store", b"x"),
            ("__MACOSX/._1.jpg", b"x"),
            ("empty.jpg", b""),
            ("cut.jpg", second[:-60]),
            ("inner.zip", make_zip([("x.jpg", first)])),
        ]
    )


def verdicts_of_upload(owner, content):
    upload = deliver(owner, make_cohort(owner, name=f"c{time.monotonic_ns()}"), content)
    run_jobs()
    rows = Verdict.objects.filter(delivery=upload).order_by("ordinal")
    return [(row.path, row.name, row.size, row.outcome, row.code, row.words, row.remedy) for row in rows]


def verdicts_of_trial(owner, content):
    trial = begin_inspection(user=owner, given=given(("images.zip", content)))
    run_jobs()
    report = Inspection.objects.get(pk=trial.pk).report
    keys = ("path", "name", "size", "outcome", "code", "message", "remedy")
    return [tuple(file[key] for key in keys) for file in report["files"]]


def test_a_dry_run_gives_the_verdicts_of_an_upload_word_for_word(alice):
    content = every_kind()
    assert verdicts_of_trial(alice, content) == verdicts_of_upload(alice, content)


def many_formats():
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    whole, cut = series(), series()
    cut[1] = cut[1][:-40]
    gaps = dicoms.series(dicoms.along([0, 3, 6, 9, 15, 18]))
    nifti = volumes.nifti(volumes.draw(seed=5), sform=volumes.affine(), sform_code=1)
    return make_zip(
        [
            ("a/anat.mhd", header),
            ("a/anat.raw", data),
            ("b/anat.mhd", header),
            ("lost.raw", data),
            *((f"t1/{number}.dcm", data) for number, data in enumerate(whole)),
            *((f"again/t1/{number}.dcm", data) for number, data in enumerate(series())),
            *((f"cut/{number}", data) for number, data in enumerate(cut)),
            *((f"gaps/{number}", data) for number, data in enumerate(gaps)),
            ("twice.dcm", whole[0]),
            ("brain.nii", nifti),
            ("brain.nii.gz", gzip.compress(nifti)),
            ("c/brain.nii", nifti),
            (
                "d/brain.nii.gz",
                gzip.compress(volumes.nifti(volumes.draw(seed=6), sform=volumes.affine(), sform_code=1)),
            ),
            ("cut.nii", nifti[:-9]),
            ("photo.jpg", images.jpeg()),
            ("report.dcm", dicoms.write(dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR"))),
            ("slide.mrxs", images.jpeg(seed=3)),
        ]
    )


def series():
    return dicoms.series(dicoms.along([3.0 * place for place in range(4)]))


def test_files_that_belong_together_meet_the_verdicts_of_an_upload_too(alice):
    content = many_formats()
    tried = verdicts_of_trial(alice, content)
    assert tried == verdicts_of_upload(alice, content)
    assert {row[3] for row in tried} == {"accepted", "linked", "duplicate", "refused"}


@pytest.mark.parametrize(
    "case",
    [case for case in zip_cases.CASES if case.limits == zip_cases.DEFAULT_LIMITS and not case.refusal],
    ids=lambda case: case.name,
)
def test_tricks_of_a_zip_meet_the_same_verdicts(alice, case):
    content = case.build()
    assert verdicts_of_trial(alice, content) == verdicts_of_upload(alice, content)


def contents_of_the_archive(data):
    """Every row of every table, and every file, apart from the dry runs' own and from the queue's."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            if not table.startswith(("procrastinate_", "trials_", "medtheca_cache", "django_session")):
                quoted = connection.ops.quote_name(table)
                cursor.execute(f"SELECT t::text FROM {quoted} t ORDER BY 1")
                rows[table] = cursor.fetchall()
    files = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    return rows, files


@pytest.mark.parametrize("who", ["nobody", "alice"])
def test_nothing_is_stored(alice, data, who):
    deliver(alice, make_cohort(alice), make_zip([("1.jpg", images.jpeg(seed=9))]))
    run_jobs()
    assert apps.get_model("storage", "Blob").objects.exists()
    before = contents_of_the_archive(data)
    user = alice if who == "alice" else None
    trial = begin_inspection(user=user, given=given(("set.zip", every_kind()), ("values.csv", SHEET)))
    assert scratch_of(trial.pk).is_dir()
    assert run_jobs() == ["inspect.files"]
    assert contents_of_the_archive(data) == before
    assert not list(scratch_root().rglob("*.member"))
    assert not scratch_of(trial.pk).exists()
    report = inspection_for(user, trial.pk).report
    assert (report["clean"], report["counts"]["accepted"]) == (False, 3)
    assert report["metadata"]["rows_without_file"] == ["gone.jpg"]
    assert report["metadata"]["problem_count"] == 1
    assert images.CANARY not in str(report)


def test_only_alice_sees_hers_and_nobody_s_is_opened_by_its_id(alice):
    bob = make_user("bob")
    hers = begin_inspection(user=alice, given=given(("1.jpg", images.jpeg())))
    open_to_all = begin_inspection(user=None, given=given(("1.jpg", images.jpeg())))
    assert inspection_for(alice, hers.pk) == hers
    assert inspection_for(None, open_to_all.pk) == inspection_for(bob, open_to_all.pk) == open_to_all
    for stranger in (None, bob):
        with pytest.raises(NotFound):
            inspection_for(stranger, hers.pk)


def test_limits_of_people_who_are_not_signed_in(alice):
    with pytest.raises(Invalid, match="No file"):
        begin_inspection(user=None, given=[])
    with pytest.raises(Invalid, match="2 spreadsheets"):
        begin_inspection(user=None, given=given(("a.csv", SHEET), ("b.xlsx", SHEET)))
    with pytest.raises(TooLarge, match="25,000,000 bytes"):
        begin_inspection(user=None, given=[Given("a.jpg", FOR_ANYBODY.size + 1, [])])
    many = given(*((f"{number}.jpg", b"x") for number in range(FOR_ANYBODY.files + 1)))
    with pytest.raises(TooLarge, match="50 files"):
        begin_inspection(user=None, given=many)
    assert begin_inspection(user=alice, given=many)
    assert [path.name for path in (scratch_root() / "inspections").iterdir()] == [str(Inspection.objects.get().pk)]


def deflated(name, size):
    """A ZIP that is small on its way and large when unpacked."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    return made.getvalue()


def test_a_zip_with_too_many_files_or_bytes_is_told_and_not_decoded(db, data):
    for content in (zips.many(FOR_ANYBODY.files + 1), deflated("a.jpg", 201_000_000)):
        trial = begin_inspection(user=None, given=given(("a.zip", content)))
        run_jobs()
        trial.refresh_from_db()
        assert (trial.state, trial.report) == ("failed", None)
        assert "Try a part of them." in trial.words
        assert not scratch_of(trial.pk).exists()


def test_a_number_of_rows_beyond_the_limit_is_one_problem(db, data):
    rows = b"filename\n" + b"".join(b"%d.jpg\n" % number for number in range(FOR_ANYBODY.rows + 1))
    trial = begin_inspection(user=None, given=given(("values.csv", rows)))
    run_jobs()
    (group,) = Inspection.objects.get(pk=trial.pk).report["metadata"]["problems"]
    assert group["code"] == "too_many_rows"


def test_only_so_many_wait_at_once(alice):
    for _ in range(FOR_ANYBODY.waiting):
        begin_inspection(user=None, given=given(("1.jpg", b"x")))
    with pytest.raises(Conflict) as refused:
        begin_inspection(user=None, given=given(("1.jpg", b"x")))
    assert refused.value.code == "busy"
    assert len(list((scratch_root() / "inspections").iterdir())) == FOR_ANYBODY.waiting
    begin_inspection(user=alice, given=given(("1.jpg", b"x")))
    run_jobs()
    assert begin_inspection(user=None, given=given(("1.jpg", b"x")))


def test_a_job_that_was_killed_begins_again_from_the_bytes(alice, monkeypatch):
    trial = begin_inspection(user=alice, given=given(("set.zip", every_kind())))

    class Killed(BaseException):
        pass

    def die(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(inspect, "report_of", die)
        with pytest.raises(Killed):
            inspect_given(inspection_id=trial.pk)
    assert scratch_of(trial.pk).is_dir()
    inspect_given(inspection_id=trial.pk)
    assert Inspection.objects.get(pk=trial.pk).state == "done"
    assert not scratch_of(trial.pk).exists()


def test_what_nobody_comes_back_for_is_swept(alice):
    trial = begin_inspection(user=alice, given=given(("1.jpg", images.jpeg())))
    lost = scratch_root() / "inspections" / "0d0e4c5e-6b1f-4c22-9d3c-1f0c2f1d7a11"
    lost.mkdir()
    (lost / "0").write_bytes(b"left by a killed process")
    left = scratch_root() / "tmpabc.upload"
    left.write_bytes(b"left by a killed web process")
    sweep_inspections()
    assert lost.exists()
    assert left.exists()
    long_ago = time.time() - 7200
    for path in (lost, left, scratch_of(trial.pk)):
        os.utime(path, (long_ago, long_ago))
    assert sweep_inspections() == 2
    assert not lost.exists()
    assert not left.exists()
    assert scratch_of(trial.pk).exists()
    run_jobs()
    Inspection.objects.update(expires=trial.created - timedelta(hours=1))
    with pytest.raises(NotFound):
        inspection_for(alice, trial.pk)
    assert sweep_inspections() == 1
    assert not Inspection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_upkeep_sweeps_dry_runs_too(data):
    trial = begin_inspection(user=None, given=given(("1.jpg", images.jpeg())))
    run_jobs()
    Inspection.objects.update(expires=trial.created)
    assert keep_up().trials == 1


def test_a_decoder_that_cannot_run_is_told_in_words(alice, monkeypatch):
    def broken():
        raise RuntimeError("no decoder")

    monkeypatch.setattr(inspect, "decoder_pool", broken)
    trial = begin_inspection(user=alice, given=given(("1.jpg", images.jpeg())))
    run_jobs()
    trial.refresh_from_db()
    assert (trial.state, "no decoder" in trial.words, bool(trial.words)) == ("failed", False, True)
    assert not scratch_of(trial.pk).exists()
