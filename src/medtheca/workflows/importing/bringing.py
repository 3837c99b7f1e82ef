"""Bringing images of another archive into a cohort: page by page, file by file, batch by batch, each only once.

A batch is noted with where its images come from in the transaction that opens its delivery, and from there it is an
upload like any other: received, converted in the sandbox, with a verdict for each file. A run may be cut anywhere.
Files that came and are not delivered lie in the data folder; a delivery that was begun and not ended is cancelled by
the next run, which brings its images again; and what was noted is not fetched a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import DomainError
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.enums import AccessionState, DeliveryState
from medtheca.domains.provenance.models import Accession, Cohort, Delivery
from medtheca.domains.provenance.origins import (
    cut_deliveries,
    forget_what_never_came,
    known_origins,
    note_origins,
    unfinished_deliveries,
)
from medtheca.domains.storage.uploads import part_path
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.isic_records import RemoteImage, read_image
from medtheca.toolkit.names import name_key
from medtheca.workflows.importing.errors import AsksToWait, Denied, HostError, Unavailable, Unusable
from medtheca.workflows.importing.host import Host
from medtheca.workflows.importing.looking import Looking, Progress, Wish
from medtheca.workflows.importing.staging import Staged, Staging, sync_folder
from medtheca.workflows.importing.verdicts import Fate, Outcome, fate_of, verdicts_by_path
from medtheca.workflows.receive import acknowledge_bytes, begin_delivery, cancel_delivery

BATCH_FILES = 128
BATCH_BYTES = 128 << 20
_DOING = "bring images into it"
_MOST_IN_A_ROW = 3
_OVER = {DeliveryState.DONE, DeliveryState.REFUSED}
_EXPIRED = {401, 403, 404, 410}


def preview(
    *, user: User, cohort: Cohort | None, host: Host, wish: Wish, again: bool = False, progress: Progress | None = None
) -> Outcome:
    """What a run would do: only the host's list is read, and nothing is written.

    The cohort may be still to be made. Raises `NotAllowed` where the person may not upload to it.
    """
    if cohort is not None:
        require_editor(user, cohort, to=_DOING)
    looking = Looking(cohort=cohort, host=host, wish=wish, again=again, progress=progress)
    with looking.telling():
        for _ in looking.pages():
            pass
    return looking.outcome


class Import:
    """One run. `bring` everything, let workers convert until `is_converted`, and read the `outcome` after `settle`.

    `again` brings also what was refused before. `rest` is called after each delivery. Raises `NotAllowed` where the
    person may not upload to the cohort.
    """

    def __init__(
        self,
        *,
        user: User,
        cohort: Cohort,
        host: Host,
        wish: Wish,
        again: bool = False,
        progress: Progress | None = None,
        rest: Callable[[], None] | None = None,
    ) -> None:
        require_editor(user, cohort, to=_DOING)
        self.user, self.cohort, self.host = user, cohort, host
        self._looking = Looking(cohort=cohort, host=host, wish=wish, again=again, progress=progress)
        self.outcome = self._looking.outcome
        self.deliveries: list[UUID] = []
        self._rest = rest
        self._staging = Staging(cohort, host)
        self._ready: list[Staged] = []
        self._failed_in_a_row = 0

    def bring(self) -> None:
        """Go through the host's list, and deliver what is not here. Where it ends early, `outcome.stopped` says why.

        Raises `Conflict` where another run does the same.
        """
        with self._staging.held():
            self._mend()
            self.deliveries = unfinished_deliveries(self.cohort, self.host.name)
            with self._looking.telling():
                for images in self._looking.pages():
                    self._fetch(images)
            if self._ready:
                # What came whole is here to stay, whatever stopped the rest.
                with self._looking.telling():
                    self._deliver()
            if not self.outcome.stopped:
                self._staging.clear()

    def is_converted(self) -> bool:
        """Whether all that was delivered has its verdict."""
        return not Delivery.objects.filter(pk__in=self.deliveries).exclude(state__in=_OVER).exists()

    def settle(self) -> None:
        """Write into the outcome what became of what was delivered, and of what was not reached."""
        for image in self.outcome.images.values():
            if image.fate is Fate.WOULD:
                image.fate, image.words = Fate.LEFT, "The run ended before it was fetched."
        ids = sorted(self._looking.pending)
        for start in range(0, len(ids), 1000):
            origins = known_origins(self.cohort, self.host.name, ids[start : start + 1000])
            words = verdicts_by_path(origins.values())
            for isic_id in set(ids[start : start + 1000]) - origins.keys():
                image = self.outcome.images[isic_id]
                image.fate, image.words = Fate.LEFT, "It came, and could not be delivered; the next run does that."
            for isic_id, origin in origins.items():
                image = self.outcome.images[isic_id]
                found = fate_of(origin, words.get((origin.delivery_id, origin.path)))
                image.fate, image.words, image.remedy = found
                image.accession = origin.accession_id

    def _mend(self) -> None:
        """Cancel what a run before has begun to deliver and was cut in."""
        for delivery in cut_deliveries(self.cohort, self.host.name):
            cancel_delivery(user=delivery.upload.owner, upload=delivery.upload)
        forget_what_never_came(self.cohort, self.host.name)

    def _fetch(self, images: Sequence[RemoteImage]) -> None:
        """Have the files of images here, and deliver them when a batch is full. Raises what ends a run."""
        width = self.host.manners.connections
        with ThreadPoolExecutor(width) as threads:
            for start in range(0, len(images), width):
                # No more at a time than go side by side: Ctrl-C waits for them. A single one needs no thread.
                few = images[start : start + width]
                found = map(self._fetch_one, few) if width == 1 else threads.map(self._fetch_one, few)
                for image, came in zip(few, found, strict=True):
                    self._note(image, came)
                if len(self._ready) >= BATCH_FILES or sum(one.fetched.size for one in self._ready) >= BATCH_BYTES:
                    self._deliver()

    def _fetch_one(self, image: RemoteImage) -> Staged | DomainError:
        """The file of an image, from an earlier run or from the host. It may run in a thread: nothing of the database.

        The address of a file may hold for a while only: where it is refused, the host is asked for another, once.
        """
        try:
            if here := self._staging.find(image):
                return here
            try:
                return self._staging.bring(image, self.host, limit=_largest(), time=now().isoformat())
            except Denied as denied:
                if denied.status not in _EXPIRED:
                    raise
            value = self.host.ask(self.host.here(f"/api/v2/images/{image.isic_id}/"))
            anew = replace(image, url=read_image(value).url)
            return self._staging.bring(anew, self.host, limit=_largest(), time=now().isoformat())
        except Refused as refusal:
            return Unusable(refusal.message, remedy=refusal.remedy)
        except DomainError as error:
            return error

    def _note(self, image: RemoteImage, found: Staged | DomainError) -> None:
        self._looking.to_fetch -= 1
        if isinstance(found, Staged):
            self._failed_in_a_row = 0
            self._ready.append(found)
            self._looking.pending.add(image.isic_id)
            self.outcome.images[image.isic_id].fate = Fate.WAITING
            self._looking.tell()
            return
        verdict = self.outcome.images[image.isic_id]
        verdict.values = []
        verdict.fate, verdict.words, verdict.remedy = Fate.FAILED, found.message, found.remedy
        if isinstance(found, AsksToWait) or not isinstance(found, HostError):
            raise found
        if isinstance(found, Unavailable):
            self._failed_in_a_row += 1
            if self._failed_in_a_row == _MOST_IN_A_ROW:
                raise Unavailable(
                    f"{self.host.name} did not give {_MOST_IN_A_ROW} files in a row.",
                    code=found.code,
                    remedy="Run the same command again later; it goes on where it was.",
                ) from found

    def _deliver(self) -> None:
        """Give what is here to the cohort, as one upload."""
        staged, self._ready = self._ready, []
        names = self._names(staged)
        packed = self._staging.pack(staged, names)
        size = packed.stat().st_size
        filename = f"{self.host.name.replace(':', '-')}-{staged[0].image.isic_id}.zip"[-255:]
        with transaction.atomic():
            upload = begin_delivery(user=self.user, cohort_id=self.cohort.pk, filename=filename, size=size)
            delivery = Delivery.objects.get(pk=upload.pk)
            rows = [self._origin(one, name) for one, name in zip(staged, names, strict=True)]
            note_origins(cohort=self.cohort, host=self.host.name, delivery=delivery, rows=rows)
            record(
                actor_id=self.user.pk,
                verb="delivery.imported",
                subject_type="upload",
                subject_id=upload.pk,
                cohort_id=self.cohort.pk,
                details={"host": self.host.name, "images": len(staged)},
            )
        step("import.noted")
        part = part_path(upload.pk)
        packed.replace(part)
        sync_folder(part.parent)
        acknowledge_bytes(upload=upload, begun_at=0, offset=size)
        step("import.delivered")
        self.deliveries.append(upload.pk)
        for one in staged:
            self._staging.forget(one.image)
        if self._rest is not None:
            self._rest()

    def _names(self, staged: Sequence[Staged]) -> list[str]:
        """What files are called in the cohort: their id at the host, with the host's name where that is taken."""
        wanted = [f"{one.image.isic_id}{one.extension}" for one in staged]
        there = Accession.objects.filter(cohort=self.cohort, name_key__in=[name_key(name) for name in wanted])
        holders = dict(there.exclude(state=AccessionState.REFUSED).values_list("name_key", "original__sha256"))
        host = self.host.name.replace(":", "-").strip("[]")
        return [
            name
            if holders.get(name_key(name), one.fetched.sha256) == one.fetched.sha256
            else f"{one.image.isic_id}-{host}{one.extension}"
            for one, name in zip(staged, wanted, strict=True)
        ]

    def _origin(self, one: Staged, name: str) -> Mapping[str, Any]:
        image = one.image
        return {
            "remote_id": image.isic_id,
            "url": self.host.here(f"/api/v2/images/{image.isic_id}/"),
            "fetched": one.time,
            "sha256": one.fetched.sha256,
            "size": one.fetched.size,
            "licence": image.licence,
            "attribution": image.attribution,
            # Without a token nobody but the public is told.
            "is_public": not self.host.token or image.is_public is True,
            "said": image.said,
            "path": name,
        }


def _largest() -> int:
    """Bytes of the largest file that can be delivered, with room for what a ZIP adds."""
    limit: int = settings.ENVIRONMENT.max_upload
    return max(0, limit - (1 << 16))
