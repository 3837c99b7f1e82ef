"""Looking at another archive's list: page by page, and for each image whether it is here, and as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from medtheca.base.errors import DomainError
from medtheca.domains.provenance.models import Cohort, Origin
from medtheca.domains.provenance.origins import known_origins
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.isic_records import RemoteImage, differences, id_of, read_image
from medtheca.workflows.importing.errors import Unusable
from medtheca.workflows.importing.host import Host
from medtheca.workflows.importing.verdicts import Fate, ImageVerdict, Outcome, fate_of, verdicts_by_path

_PAGE = 100
_MOST = 10_000_000
_SLACK = 100_000
"""Images beyond twice what the host counts: counts lag behind a list, but not without end."""

Progress = Callable[[int, int | None], None]
"""Called with how many images are settled, and how many there are, where the host says that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which images of the host: those that a query finds, within collections (their ids there), the first `limit`."""

    query: str = ""
    collections: tuple[int, ...] = ()
    limit: int | None = None

    @property
    def address(self) -> str:
        """The path of the first page."""
        asked: dict[str, str | int] = {"limit": min(_PAGE, self.limit or _PAGE)}
        if self.query:
            asked["query"] = self.query
        if self.collections:
            asked["collections"] = ",".join(map(str, self.collections))
        within = "search/" if self.query or self.collections else ""
        return f"/api/v2/images/{within}?{urlencode(asked)}"


class Looking:
    """One walk through a host's list. Without a cohort nothing is known of any image.

    `again` takes what was refused before for new. Images that an earlier run has delivered, and that are not converted
    yet, are `pending`.
    """

    def __init__(
        self, *, cohort: Cohort | None, host: Host, wish: Wish, again: bool = False, progress: Progress | None = None
    ) -> None:
        self.outcome = Outcome()
        self.pending: set[str] = set()
        self.to_fetch = 0
        self._cohort, self._host, self._wish, self._again, self._progress = cohort, host, wish, again, progress

    def pages(self) -> Iterator[list[RemoteImage]]:
        """Of each page the images that are not here; of all others the outcome says what became of them.

        Raises `HostError`.
        """
        for values in self._pages():
            yield self._take(values)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Take down why it ends early, where it does."""
        try:
            yield
        except DomainError as error:
            self.outcome.stopped = self.outcome.stopped or f"{error.message} {error.remedy}".strip()

    def _pages(self) -> Iterator[list[Any]]:
        """The host's list, page by page. Raises `HostError`."""
        address, walked = self._host.here(self._wish.address), set[str]()
        while address:
            walked.add(address)
            body = self._host.ask(address)
            results = body.get("results") if isinstance(body, dict) else None
            after = body.get("next") if isinstance(body, dict) else None
            if not isinstance(results, list) or not isinstance(after, str | None):
                raise Unusable(
                    f"{self._host.name} does not answer as an archive of ISIC's kind does.",
                    remedy="Give the address of its API, such as https://api.isic-archive.com.",
                )
            if self.outcome.found is None and isinstance(body.get("count"), int):
                self.outcome.found = body["count"]
            before = len(self.outcome.images)
            yield results
            if self._is_enough():
                return
            address = self._host.here(after) if after else ""
            if address and (address in walked or len(self.outcome.images) == before):
                raise Unusable("The pages of the host's list go round without bringing anything new.")
            if len(self.outcome.images) > self._most():
                raise Unusable(
                    f"The host's list goes on after {len(self.outcome.images):,} images, more than it says there are.",
                    remedy="Narrow it down with --query, or take the first of them with --limit.",
                )

    def _most(self) -> int:
        if self._wish.limit is not None:
            return self._wish.limit
        return _MOST if self.outcome.found is None else min(_MOST, 2 * max(self.outcome.found, 0) + _SLACK)

    def _is_enough(self) -> bool:
        return self._wish.limit is not None and len(self.outcome.images) >= self._wish.limit

    def _take(self, values: Sequence[Any]) -> list[RemoteImage]:
        wanted: list[RemoteImage] = []
        ids = [isic_id for value in values if (isic_id := _id(value))]
        known = known_origins(self._cohort, self._host.name, ids) if self._cohort else {}
        for value in values:
            if self._is_enough():
                break
            isic_id = _id(value) or f"(image {len(self.outcome.images) + 1} of the list)"
            if isic_id in self.outcome.images:
                continue
            verdict = ImageVerdict(isic_id, Fate.REFUSED)
            self.outcome.images[isic_id] = verdict
            origin = known.get(isic_id)
            try:
                image = read_image(value)
            except Refused as refusal:
                verdict.words, verdict.remedy = refusal.message, refusal.remedy
                continue
            verdict.size = image.size
            if not self._settle_known(verdict, image, origin):
                verdict.fate = Fate.WOULD
                verdict.values = [{"field": name, "message": "It cannot be kept."} for name in image.dropped]
                wanted.append(image)
        self.to_fetch = len(wanted)
        self.tell()
        return wanted

    def _settle_known(self, verdict: ImageVerdict, image: RemoteImage, origin: Origin | None) -> bool:
        """Say what is known of an image that came before; False where it is to be fetched."""
        if origin is None:
            return False
        verdict.accession = origin.accession_id
        words = verdicts_by_path([origin]).get((origin.delivery_id, origin.path))
        fate, why, remedy = fate_of(origin, words)
        changed = differences(origin.said, image.said)
        if fate is Fate.REFUSED and not origin.erased and (self._again or "file" in changed):
            return False
        if fate is Fate.WAITING:
            # An earlier run delivered it; whether it comes to be an image is told at the end.
            self.pending.add(image.isic_id)
        elif fate is Fate.REFUSED:
            why = why if origin.erased else f"It was refused before: {why}"
            remedy = remedy or "Name --again to try once more."
        elif changed:
            fate, why = Fate.CHANGED, f"Since it came on {origin.fetched:%Y-%m-%d} the host changed {_list(changed)}."
            remedy = "Look at it there, and correct it here by hand where that is right."
        elif fate is Fate.BROUGHT:
            fate, why = Fate.HERE, f"It came on {origin.fetched:%Y-%m-%d}."
        verdict.fate, verdict.words, verdict.remedy = fate, why, "" if origin.erased else remedy
        return True

    def tell(self) -> None:
        """Say how far it is."""
        if self._progress is None:
            return
        of = self.outcome.found
        if of is not None and self._wish.limit is not None:
            of = min(of, self._wish.limit)
        self._progress(len(self.outcome.images) - self.to_fetch, of)


def _id(value: object) -> str:
    try:
        return id_of(value)
    except Refused:
        return ""


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
