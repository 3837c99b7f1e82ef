"""Files that are uploaded to an archive become items."""

import numpy as np
import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member, remove_member
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.intakes import change_grouping, open_intake
from medtheca.domains.archives.items import create_item
from medtheca.domains.archives.models import Intake, ItemValue
from medtheca.domains.archives.queries import items_of
from medtheca.domains.ledger.models import Notification
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.queries import delivery_for
from medtheca.workflows.archiving.taking_in import take_in
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.archives import give, image_socket, make_socket
from tests.factories.provenance import deliver, make_zip, run_jobs
from tests.generators.dicoms import along, series
from tests.generators.images import jpeg
from tests.generators.volumes import draw, metaimage, mha

pytestmark = pytest.mark.django_db(transaction=True)


def scan(seed=0):
    return mha(draw((7, 6, 5), seed=seed))


def items(archive):
    """Of each item its title, and of each of its images the socket and size."""
    found = []
    for item in items_of(archive):
        rows = ItemValue.objects.filter(item=item).select_related("value__image", "socket").order_by("socket__slug")
        found.append((item.title, [(row.socket.slug, row.value.image.width) for row in rows]))
    return found


def bring(archive, una, files, *, rule=None, item=None, socket=None):
    intake = open_intake(
        archive=archive,
        creator=una,
        socket=socket or image_socket(),
        uploads=give(una, files),
        rule=rule,
        item=item,
    )
    run_jobs()
    intake.refresh_from_db()
    return intake


def test_one_file_fills_a_socket_of_an_item(archive, una):
    item = create_item(archive=archive, creator=una)
    intake = bring(archive, una, [("scan.mha", scan())], item=item)
    assert (intake.state, intake.words) == (IntakeState.DONE, "")
    assert items(archive) == [("", [("generic-medical-image", 7)])]
    assert visible_images(viewer_of(una)).count() == 1
    assert "Files were taken into" in Notification.objects.get(recipient_id=una.pk).words


def test_several_files_of_one_image_are_put_together(archive, una):
    item = create_item(archive=archive, creator=una)
    header, payload = metaimage(draw((7, 6, 5)), data_file="scan.raw")
    assert bring(archive, una, [("scan.mhd", header), ("scan.raw", payload)], item=item).state == IntakeState.DONE
    assert items(archive) == [("", [("generic-medical-image", 7)])]


def test_what_makes_two_images_fills_no_socket(archive, una):
    item = create_item(archive=archive, creator=una)
    intake = bring(archive, una, [("a.mha", scan(1)), ("b.mha", scan(2))], item=item)
    assert intake.state == IntakeState.FAILED
    assert intake.words.startswith("Image imports should result in a single image.")
    assert items(archive) == [("", [])]


def test_what_is_no_image_says_why(archive, una):
    item = create_item(archive=archive, creator=una)
    intake = bring(archive, una, [("scan.mha", b"no image at all")], item=item)
    assert intake.state == IntakeState.FAILED
    assert "scan.mha" in intake.words
    again = bring(archive, una, [("scan.mha", scan())], item=item)
    intake.refresh_from_db()
    assert (again.state, intake.seen) == (IntakeState.DONE, True)


def test_files_of_the_same_name_are_items_each(archive, una):
    files = [(f"P{number:03}/image.mha", scan(number)) for number in range(12)]
    intake = bring(archive, una, files)
    assert intake.state == IntakeState.DONE
    assert len(items(archive)) == 12
    names = Accession.objects.filter(cohort=archive.cohort).values_list("name", "original_path")
    assert len({name for name, _ in names}) == 12
    assert sorted(path for _, path in names) == [path for path, _ in files]


def test_folders_become_items_with_sockets_by_pattern(archive, una):
    mask = make_socket("Lesion mask", "SEG", overlay_segments=[{"name": "lesion", "visible": True, "voxel_value": 1}])
    lesion = np.zeros((1, 5, 6, 7), np.uint8)
    lesion[0, 2, 3, 3] = 1
    files = [
        ("study/P1/t1.mha", scan(1)),
        ("study/P1/t1_mask.mha", mha(lesion)),
        ("study/P2/t1.mha", scan(2)),
        ("study/notes.txt", b"of the study"),
    ]
    rule = {"by": "folder", "sockets": {"*_mask.mha": mask.slug}}
    intake = bring(archive, una, files, rule=rule)
    assert intake.state == IntakeState.DONE
    assert items(archive) == [
        ("P1", [("generic-medical-image", 7), (mask.slug, 7)]),
        ("P2", [("generic-medical-image", 7)]),
    ]


def test_equal_files_in_two_folders_are_in_two_items(archive, una):
    """Empty masks of two patients are the same bytes under the same name, and each patient has one."""
    mask = make_socket("Mask", "IMG")
    rule = {"by": "folder", "depth": 0, "pattern": "", "sockets": {"*mask*": mask.slug}}
    empty = mha(draw((7, 6, 5), seed=9))
    files = [("P1/ct.mha", scan(1)), ("P1/mask.mha", empty), ("P2/ct.mha", scan(2)), ("P2/mask.mha", empty)]
    intake = bring(archive, una, files, rule=rule)
    assert (intake.state, intake.words) == (IntakeState.DONE, "")
    generic = image_socket().slug
    assert items(archive) == [("P1", [(generic, 7), (mask.slug, 7)]), ("P2", [(generic, 7), (mask.slug, 7)])]
    assert Accession.objects.count() == 3
    # Brought again, nothing is made twice, also of files whose names were made.
    before = list(ItemValue.objects.order_by("pk").values_list("item", "value"))
    bring(archive, una, files, rule=rule)
    assert Accession.objects.count() == 3
    assert list(ItemValue.objects.order_by("pk").values_list("item", "value")) == before


def test_a_zip_is_unpacked(archive, una):
    packed = make_zip([("P1/a.jpg", jpeg(seed=1)), ("P2/a.jpg", jpeg(seed=2))])
    assert bring(archive, una, [("all.zip", packed)], rule={"by": "folder"}).state == IntakeState.DONE
    assert [title for title, _ in items(archive)] == ["P1", "P2"]


def test_the_same_file_again_is_another_item_with_the_same_image(archive, una):
    for _ in range(2):
        bring(archive, una, [("scan.mha", scan())])
    assert items(archive) == [("", [("generic-medical-image", 7)])] * 2
    assert Accession.objects.filter(cohort=archive.cohort).count() == 1


def test_what_comes_by_the_cohorts_own_door_becomes_items_too(archive):
    deliver(archive.creator, archive.cohort, make_zip([("a.jpg", jpeg(seed=1)), ("b.jpg", jpeg(seed=2))]))
    run_jobs()
    assert len(items(archive)) == 2


def test_an_uploader_brings_by_the_archives_rule(archive, una):
    change_grouping(archive=archive, actor=archive.creator, rule={"by": "folder"}, socket="generic-medical-image")
    packed = make_zip([("P1/a.jpg", jpeg(seed=1)), ("P2/a.jpg", jpeg(seed=2))])
    delivery = deliver(una, archive.cohort, packed)
    run_jobs()
    assert [title for title, _ in items(archive)] == ["P1", "P2"]
    assert delivery_for(una, delivery).pk == delivery
    remove_member(scope=archive.scope, user=una)
    with pytest.raises(NotFound):
        delivery_for(una, delivery)


@pytest.mark.parametrize(
    ("rule", "socket"),
    [
        ({"by": "magic"}, "generic-medical-image"),
        ({}, "results-json-file"),
        ({"sockets": {"*": "none"}}, "generic-medical-image"),
    ],
)
def test_rules_that_cannot_be(archive, rule, socket):
    with pytest.raises(Invalid):
        change_grouping(archive=archive, actor=archive.creator, rule=rule, socket=socket)


def test_whoever_was_taken_out_meanwhile_brings_nothing(archive, una):
    item = create_item(archive=archive, creator=una)
    intake = open_intake(
        archive=archive, creator=una, socket=image_socket(), uploads=give(una, [("scan.mha", scan())]), item=item
    )
    remove_member(scope=archive.scope, user=una)
    run_jobs()
    intake.refresh_from_db()
    assert intake.state == IntakeState.FAILED
    assert items(archive) == [("", [])]


def test_users_and_strangers_bring_nothing(archive, una):
    vic = make_user("vic")
    add_member(scope=archive.scope, user=vic, role=Role.VIEWER)
    for person in (vic, make_user("mallory")):
        uploads = give(person, [("a.mha", scan())])
        with pytest.raises(NotAllowed):
            open_intake(archive=archive, creator=person, socket=image_socket(), uploads=uploads)


def test_an_upload_is_used_once(archive, una):
    uploads = give(una, [("scan.mha", scan())])
    open_intake(archive=archive, creator=una, socket=image_socket(), uploads=uploads)
    with pytest.raises(Conflict, match="given already"):
        open_intake(archive=archive, creator=una, socket=image_socket(), uploads=uploads)


def test_doing_it_twice_does_nothing_twice(archive, una):
    intake = bring(archive, una, [("a.mha", scan(1)), ("b.mha", scan(2))])
    take_in(intake_id=intake.pk)
    run_jobs()
    assert len(items(archive)) == 2


def test_what_was_left_lying_is_taken_up_again(archive, una):
    from datetime import timedelta

    from procrastinate.contrib.django.models import ProcrastinateJob

    from medtheca.base.clock import now

    intake = open_intake(archive=archive, creator=una, socket=image_socket(), uploads=give(una, [("a.mha", scan())]))
    ProcrastinateJob.objects.all()._raw_delete("default")
    Intake.objects.filter(pk=intake.pk).update(modified=now() - timedelta(hours=1))
    assert resume_stranded() == 1
    run_jobs()
    assert len(items(archive)) == 1


def test_a_dicom_series_is_one_item(archive, una):
    files = [(f"dicom_image_{at}.dcm", data) for at, data in enumerate(series(along(range(4))))]
    item = create_item(archive=archive, creator=una)
    intake = bring(archive, una, files, item=item)
    assert (intake.state, intake.words) == (IntakeState.DONE, "")
    assert len(items(archive)[0][1]) == 1
