"""Many images at once: which they are is settled when it is asked for, and a job adds or removes them part by part.

Each part is one transaction that notes its own end, so a job that was cut off goes on where it was, and one that runs
twice does nothing twice. What the person may do is asked anew for each part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, DomainError, Invalid, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import require_editor
from medtheca.domains.collections.contents import add_images, hold, remove_images
from medtheca.domains.collections.enums import BatchAction, BatchState
from medtheca.domains.collections.models import Batch, BatchPart, Collection
from medtheca.domains.collections.refs import LONGEST_REF, images_named, images_named_within, names_of
from medtheca.domains.ledger.operations import record

PART = 2000
"""Images that are added or removed in one transaction."""

MOST_WAITING = 20
"""Batches of one collection that may wait at a time."""

MOST_NAMED = 100_000
"""Images that one request may name."""

MOST_TOLD = 1000
_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is: of `total` images `settled` were looked at, and `changed` came in or went out.

    `absent` and `private` name the first of those that could not be added, `absent_count` and `private_count` say how
    many there are.
    """

    id: UUID
    action: BatchAction
    state: BatchState
    total: int
    settled: int
    changed: int
    absent: tuple[str, ...]
    absent_count: int
    private: tuple[str, ...]
    private_count: int
    words: str

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state is not BatchState.WAITING


def send_batch(
    *,
    collection: Collection,
    actor: User,
    action: BatchAction,
    image_ids: Iterable[int],
    absent: Sequence[str] = (),
) -> Batch:
    """Settle which images are meant and set the job going. `image_ids` may be an iterator over very many.

    Raises `NotAllowed`, `Locked`, or `Conflict` where too many batches of the collection wait.
    """
    require_editor(actor, collection, to="change what is in it")
    with transaction.atomic():
        held = hold(collection, to="change what is in it")
        waiting = Batch.objects.filter(collection=held, state=BatchState.WAITING).count()
        if waiting >= MOST_WAITING:
            raise Conflict(f"{waiting} batches of this collection wait.", remedy="Wait until they are done.")
        batch = Batch.objects.create(collection=held, by=actor, action=action, absent=list(absent))
        total = 0
        for number, part in enumerate(_parts(image_ids)):
            BatchPart.objects.create(batch=batch, number=number, images=part)
            total += len(part)
        batch.total = total
        batch.save(update_fields=["total"])
        enqueue_batch(batch)
    return batch


def send_named(*, collection: Collection, actor: User, action: BatchAction, refs: Sequence[str]) -> Batch:
    """As `send_batch`, for images by public id or key. Raises `Invalid` for too many names besides."""
    require_editor(actor, collection, to="change what is in it")
    names = list(dict.fromkeys(refs))
    if not names or len(names) > MOST_NAMED:
        words = "No image is named." if not names else f"{len(names):,} images are named."
        problem = Problem("isic_ids", words, remedy=f"Name 1 to {MOST_NAMED:,}; more by a search.")
        raise Invalid("The images cannot be named so.", problems=[problem])
    adds = action is BatchAction.ADD
    found = images_named(actor, names) if adds else images_named_within(collection, actor, names)
    absent = [ref[:LONGEST_REF].replace("\0", "") for ref in names if ref not in found]
    ids = list(dict.fromkeys(found[ref] for ref in names if ref in found))
    return send_batch(collection=collection, actor=actor, action=action, image_ids=ids, absent=absent)


def _parts(image_ids: Iterable[int]) -> Iterator[list[int]]:
    rows = iter(image_ids)
    while part := list(islice(rows, PART)):
        yield part


def enqueue_batch(batch: Batch) -> None:
    """Set a batch going, or going again; batches of one collection go one after the other."""
    enqueue(
        "collections.fill",
        batch_id=str(batch.pk),
        queueing_lock=f"collection-batch:{batch.pk}",
        lock=f"collection:{batch.collection_id}",
        # Its own line: they stay in the order in which they were sent, and a large collection does not hold up others.
        turn=f"collection:{batch.collection_id}",
    )


def stranded_batches() -> QuerySet[Batch]:
    """Batches that have waited so long that their job may be lost."""
    return Batch.objects.filter(state=BatchState.WAITING, created__lt=now() - _PATIENCE).order_by("created")


def work_off(batch_id: UUID) -> Batch | None:
    """Do what is left of a batch; return it where this call finished it."""
    while (batch := Batch.objects.select_related("collection", "by").filter(pk=batch_id).first()) is not None:
        if batch.state != BatchState.WAITING:
            return None
        try:
            if not _next_part(batch):
                return batch if _finish(batch, BatchState.DONE) else None
        except DomainError as refusal:
            # Somebody locked the collection meanwhile, or the person may not change it any more.
            return batch if _finish(batch, BatchState.FAILED, refusal.message) else None
    return None


def _next_part(batch: Batch) -> bool:
    """Do the first part that is not done; False where there is none."""
    with transaction.atomic():
        waiting = BatchPart.objects.select_for_update().filter(batch=batch, done__isnull=True)
        part = waiting.order_by("number").first()
        if part is None:
            return False
        if batch.action == BatchAction.ADD:
            added = add_images(collection=batch.collection, actor=batch.by, image_ids=part.images)
            part.changed = len(added.fresh)
            part.private, part.unseen = list(added.private), list(added.unseen)
        else:
            part.changed = remove_images(collection=batch.collection, actor=batch.by, image_ids=part.images)
        part.done = now()
        part.save(update_fields=["changed", "private", "unseen", "done"])
    return True


def _finish(batch: Batch, state: BatchState, words: str = "") -> bool:
    """Note how a batch ended, once; its lists of images are not needed any more then."""
    with transaction.atomic():
        held = Batch.objects.select_for_update().filter(pk=batch.pk, state=BatchState.WAITING).first()
        if held is None:
            return False
        batch.state, batch.words, batch.finished = state, words, now()
        batch.save(update_fields=["state", "words", "finished"])
        changed = sum(BatchPart.objects.filter(batch=batch).values_list("changed", flat=True))
        BatchPart.objects.filter(batch=batch, done__isnull=False).update(images=[])
        if changed:
            record(
                actor_id=batch.by_id,
                verb="collection.images_added" if batch.action == BatchAction.ADD else "collection.images_removed",
                subject_type="collection",
                subject_id=batch.collection_id,
                details={"images": changed},
            )
    return True


def progress_of(batch: Batch) -> Progress:
    """How far a batch is, for whoever may see it (`queries.batch_for`)."""
    sums: Counter[str] = Counter()
    private: list[int] = []
    unseen: list[int] = []
    rows = BatchPart.objects.filter(batch=batch).order_by("number")
    for part in rows.only("changed", "private", "unseen", "done"):
        sums["changed"] += part.changed
        sums["private"] += len(part.private)
        sums["unseen"] += len(part.unseen)
        private += part.private[: MOST_TOLD - len(private)]
        unseen += part.unseen[: MOST_TOLD - len(unseen)]
    left = sum(len(images) for images in rows.filter(done__isnull=True).values_list("images", flat=True))
    # Whoever named them, or saw them when the batch was made, knows what they are called.
    names = names_of([*private, *unseen])
    absent = [*batch.absent[:MOST_TOLD], *(names[pk] for pk in unseen if pk in names)][:MOST_TOLD]
    return Progress(
        id=batch.pk,
        action=BatchAction(batch.action),
        state=BatchState(batch.state),
        total=batch.total + len(batch.absent),
        settled=batch.total - left + len(batch.absent),
        changed=sums["changed"],
        absent=tuple(absent),
        absent_count=len(batch.absent) + sums["unseen"],
        private=tuple(names[pk] for pk in private if pk in names),
        private_count=sums["private"],
        words=batch.words,
    )
