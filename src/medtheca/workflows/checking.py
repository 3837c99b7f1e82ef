"""The invariants of the archive, each a function that returns what breaks it.

Written in SQL of its own on purpose: a checker that shares its code with what it checks shares its mistakes. Each
statement sees one moment, so that the check may run while the archive works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.ledger.heads import noted_heads
from medtheca.domains.ledger.operations import GENESIS, seal_holds
from medtheca.domains.ledger.queries import sealed_events
from medtheca.domains.ledger.redaction import redacted_events
from medtheca.domains.storage.fixity import Progress, examine_blob
from medtheca.domains.storage.queries import blob_references, blob_store
from medtheca.domains.storage.upkeep import STRAY_GRACE, stray_files
from medtheca.workflows.checking_collections import sharing_is_as_granted
from medtheca.workflows.checking_compositions import compositions_are_whole
from medtheca.workflows.checking_formats import kinds_are_whole
from medtheca.workflows.checking_search import search_says_what_tables_say
from medtheca.workflows.statements import column as _column
from medtheca.workflows.statements import rows as _rows

SEALING_WINDOW = timedelta(days=1)
"""An event older than this must be in the chain. Sealing is a job, so an archive at rest has a few that are not."""

# In pg_trigger: before (2) with delete (8) and update (16), with truncate (32), or with update alone.
_CHANGES, _EMPTYING, _UPDATE = 26, 34, 18
_TRIGGERS = (
    ("ledger_event", "ledger_event_append_only", _CHANGES),
    ("ledger_seal", "ledger_seal_append_only", _CHANGES),
    ("ledger_event", "ledger_event_only_redacted", _UPDATE),
    ("ledger_event", "ledger_event_no_truncate", _EMPTYING),
    ("ledger_seal", "ledger_seal_no_truncate", _EMPTYING),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that breaks an invariant: what it is (`accession 17`), and what is wrong with it."""

    invariant: str
    subject: str
    words: str


@dataclass(frozen=True, slots=True)
class Look:
    """How closely to look. With `deep` originals and composed blobs are hashed again.

    What is younger than the windows is work under way.
    """

    deep: bool = False
    grace: timedelta = STRAY_GRACE
    sealing_window: timedelta = SEALING_WINDOW
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise of the archive, and the function that looks for what breaks it."""

    name: str
    promise: str
    check: Callable[[Look], Iterator[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found, by invariant; those without violations have an empty list."""

    violations: dict[str, list[Violation]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every invariant holds."""
        return not any(self.violations.values())

    @property
    def all(self) -> list[Violation]:
        """All violations in the order of the invariants."""
        return [violation for found in self.violations.values() for violation in found]


def check_archive(look: Look | None = None, *, told: Callable[[Invariant], None] | None = None) -> CheckReport:
    """Look for violations of every invariant; `told` hears of each before it is looked at. Changes nothing."""
    report = CheckReport()
    for invariant in INVARIANTS:
        if told:
            told(invariant)
        found = invariant.check(look or Look())
        report.violations[invariant.name] = [Violation(invariant.name, subject, words) for subject, words in found]
    return report


def check_size(*, deep: bool = False) -> dict[str, int]:
    """How many files a check looks at (`files`), and how many bytes of them it reads (`size`); for progress."""
    originals = "IN (SELECT original_id FROM provenance_accession UNION SELECT blob_id FROM storage_upload)"
    composed = "SELECT COALESCE(sum(size), 0) FROM storage_blob WHERE id IN (SELECT blob_id FROM storage_composition)"
    files = _column("SELECT count(*) FROM storage_blob")[0]
    read, size = next(_rows(f"SELECT count(*), COALESCE(sum(size), 0) FROM storage_blob WHERE id {originals}"))  # noqa: S608 - constant
    return {"files": files + read, "size": int(size + _column(composed)[0]) if deep else 0}


def uploads_and_originals_exist(look: Look) -> Iterator[tuple[str, str]]:
    """I1. What was acknowledged is there, whole, with the SHA-256 that the client declared."""
    for pk, filename, size, declared, sha256, length in _rows("""
        SELECT u.id, u.filename, u.size, u.declared_sha256, b.sha256, b.size
        FROM storage_upload u LEFT JOIN storage_blob b ON b.id = u.blob_id
        WHERE u.state = 'finished' AND (b.id IS NULL OR b.size <> u.size OR u."offset" <> u.size
              OR (u.declared_sha256 <> '' AND u.declared_sha256 <> b.sha256))"""):
        has = f"has {length} bytes with SHA-256 {sha256}" if sha256 else "has no blob"
        yield (
            f"upload {pk}",
            f"{filename}, {size} bytes (declared SHA-256 {declared or 'none'}), is finished and {has}.",
        )
    yield from _acknowledged_parts()
    for accession, image in _rows("""
        SELECT a.id, a.image_id FROM provenance_accession a
        WHERE a.state = 'converted' AND NOT EXISTS (
            SELECT FROM imaging_imagefile f
            WHERE f.image_id = a.image_id AND f.kind = 'original' AND f.blob_id = a.original_id)"""):
        yield f"accession {accession}", f"Image {image} was not made from the original of its accession."
    for what, pk, name, sha256, size in _rows("""
        SELECT 'accession', min(a.id)::text, min(a.name), b.sha256, b.size
        FROM provenance_accession a JOIN storage_blob b ON b.id = a.original_id GROUP BY b.id
        UNION ALL
        SELECT 'upload', u.id::text, u.filename, b.sha256, b.size
        FROM storage_upload u JOIN storage_blob b ON b.id = u.blob_id"""):
        if words := _wrong_bytes(sha256, size, look):
            yield f"{what} {pk}", f"What was received as {name} is not there: {words}"


def nothing_twice_in_a_cohort(_look: Look) -> Iterator[tuple[str, str]]:
    """I2. No content twice in a cohort but as a link, no name twice, no image under two accessions."""
    for cohort, ids in _rows("""
        SELECT cohort_id, array_agg(id ORDER BY id) FROM provenance_accession
        WHERE original_id IS NOT NULL AND same_as_id IS NULL
        GROUP BY cohort_id, original_id HAVING count(*) > 1"""):
        yield f"cohort {cohort}", f"Accessions {_list(ids)} hold the same original, and none is a link to another."
    for cohort, name, ids in _rows("""
        SELECT cohort_id, name_key, array_agg(id ORDER BY id) FROM provenance_accession
        WHERE state <> 'refused' GROUP BY cohort_id, name_key HAVING count(*) > 1"""):
        yield f"cohort {cohort}", f"Accessions {_list(ids)} have the same name, {name}."
    for image, ids in _rows("""
        SELECT image_id, array_agg(id ORDER BY id) FROM provenance_accession
        WHERE image_id IS NOT NULL GROUP BY image_id HAVING count(*) > 1"""):
        yield f"image {image}", f"It belongs to several accessions: {_list(ids)}."
    for accession, first in _rows("""
        SELECT a.id, a.same_as_id FROM provenance_accession a JOIN provenance_accession f ON f.id = a.same_as_id
        WHERE a.id = f.id OR (a.original_id <> f.original_id AND a.state <> 'refused')"""):
        yield f"accession {accession}", f"It is a link to accession {first}, whose content is another."
    for sha256, ids in _rows(
        "SELECT sha256, array_agg(id ORDER BY id) FROM storage_blob GROUP BY sha256 HAVING count(*) > 1"
    ):
        yield f"blob {sha256}", f"It has several rows: {_list(ids)}."


def rows_and_blobs_agree(look: Look) -> Iterator[tuple[str, str]]:
    """I3. No row without its blob, no blob without a row that is older than the grace window."""
    for table, key, column in blob_references():
        dangling = f"""
            SELECT t.{key}, t.{column} FROM {table} t
            WHERE t.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM storage_blob b WHERE b.id = t.{column})"""  # noqa: S608 - names of our own tables
        for pk, blob in _rows(dangling):
            yield f"{table} {pk}", f"It refers to blob row {blob}, which does not exist."
        unusable = f"""
            SELECT DISTINCT b.sha256, b.state FROM {table} t JOIN storage_blob b ON b.id = t.{column}
            WHERE b.state <> 'stored'"""  # noqa: S608 - names of our own tables
        for sha256, state in _rows(unusable):
            yield f"blob {sha256}", f"It is {state} although rows of {table} refer to it."
    store = blob_store()
    for sha256, size, state in _rows("""
        SELECT sha256, size, state FROM storage_blob b
        WHERE NOT EXISTS (SELECT FROM storage_composition c WHERE c.blob_id = b.id)"""):
        if state == "quarantined" and not store.exists(sha256):
            continue  # Known to be lost; it is named above where anything refers to it.
        if words := _wrong_bytes(sha256, size, Look(progress=look.progress)):
            yield f"blob {sha256}", words
    for sha256 in stray_files(grace=look.grace)[0]:
        yield f"file {sha256}", "The store holds it, and no row knows it; the sweep removes such files."


def refused_leaves_nothing(look: Look) -> Iterator[tuple[str, str]]:
    """I5. A refused accession or a cancelled upload leaves no bytes that anybody can reach."""
    for accession, name in _rows("""
        SELECT id, name FROM provenance_accession
        WHERE state = 'refused' AND (original_id IS NOT NULL OR image_id IS NOT NULL)"""):
        yield f"accession {accession}", f"{name} is refused and still has its original or an image."
    for image, accession in _rows("""
        SELECT DISTINCT f.image_id, r.id FROM provenance_accession r
        JOIN imaging_imagefile f ON f.blob_id = r.original_id
        WHERE r.state = 'refused' AND NOT EXISTS (
            SELECT FROM provenance_accession a WHERE a.original_id = r.original_id AND a.state <> 'refused')"""):
        yield f"image {image}", f"A file of it holds the bytes of accession {accession}, which is refused."
    for verdict, path, accession, state in _rows("""
        SELECT v.id, v.path, a.id, a.state
        FROM provenance_verdict v JOIN provenance_accession a ON a.id = v.accession_id
        WHERE v.outcome = 'refused' AND a.state <> 'refused'"""):
        yield f"verdict {verdict}", f"{path} is refused, but accession {accession} is {state}."
    for image in _column("""
        SELECT i.id FROM imaging_image i
        WHERE NOT EXISTS (SELECT FROM provenance_accession a WHERE a.image_id = i.id)"""):
        yield f"image {image}", "It belongs to no accession, so nobody answers for its files."
    for upload, filename in _rows(
        "SELECT id, filename FROM storage_upload WHERE state = 'cancelled' AND blob_id IS NOT NULL"
    ):
        yield f"upload {upload}", f"{filename} is cancelled and still has its bytes."


def ledger_is_whole(look: Look) -> Iterator[tuple[str, str]]:
    """I6. The ledger can only grow, its hash chain holds, and it reaches as far as was noted outside the database."""
    # Read before the chain: an end is noted after its seals are there, so all of these must be found.
    noted = noted_heads()
    previous, expected = GENESIS, 1
    redacted = redacted_events()
    for seal in sealed_events():
        if seal.sequence != expected:
            yield f"seal {expected}", f"It or its event is missing: after {expected - 1} comes {seal.sequence}."
        elif not seal_holds(seal, previous, redacted=redacted):
            yield f"seal {seal.sequence}", f"Event {seal.event_id} ({seal.event.verb}) is not what was sealed."
        elif noted.pop(seal.sequence, seal.digest) != seal.digest:
            yield f"seal {seal.sequence}", "It is not the one that the data folder noted: the chain was made anew."
            noted = {}  # Every later one would differ, too.
        previous, expected = seal.digest, seal.sequence + 1
    if noted and max(noted) >= expected:
        yield (
            f"seal {max(noted)}",
            f"It was noted in the data folder, and the chain ends at {expected - 1}: it was cut.",
        )
    late = _column(
        "SELECT count(*) FROM ledger_seal s WHERE NOT EXISTS (SELECT FROM ledger_event e WHERE e.id = s.event_id)"
    )
    if late[0]:
        yield "ledger_seal", f"{late[0]} seals have no event."
    for count, first in _rows(
        """SELECT count(*), min(e.id) FROM ledger_event e
        WHERE e.at < now() - %s AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.event_id = e.id)
        HAVING count(*) > 0""",
        [look.sealing_window],
    ):
        yield f"event {first}", f"{count} events older than {look.sealing_window} are not sealed; the worker does that."
    for table, trigger, kind in _TRIGGERS:
        enabled = _column(
            """SELECT tgenabled::text FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass
            AND tgtype & %s = %s""",
            [trigger, table, kind, kind],
        )
        if enabled not in (["O"], ["A"]):
            yield table, f"The trigger {trigger}, which refuses changes, is not there or not enabled."


def private_stays_private(_look: Look) -> Iterator[tuple[str, str]]:
    """I7. What hangs in public was published, was not withdrawn, and is never the untouched original."""
    for image, scope, public_id, published in _rows("""
        SELECT i.id, s.kind, i.public_id, a.published FROM access_placement p
        JOIN access_scope s ON s.id = p.scope_id AND s.kind IN ('public', 'signed_in', 'group')
        JOIN imaging_image i ON i.id = p.image_id LEFT JOIN provenance_accession a ON a.image_id = i.id
        WHERE i.public_id IS NULL OR a.published IS NULL OR a.state <> 'converted'"""):
        lacks = (
            "has no public id" if public_id is None else "was not published" if published is None else "is not whole"
        )
        yield f"image {image}", f"It hangs in the scope {scope} and {lacks}."
    for image, scope in _rows("""
        SELECT p.image_id, s.kind FROM access_placement p
        JOIN access_scope s ON s.id = p.scope_id AND s.kind IN ('public', 'signed_in', 'group')
        JOIN access_withdrawal w ON w.image_id = p.image_id"""):
        yield f"image {image}", f"It is withdrawn and still hangs in the scope {scope}."
    for scope, kind in _rows("""
        SELECT DISTINCT s.id, s.kind FROM access_membership m JOIN access_scope s ON s.id = m.scope_id
        WHERE s.kind IN ('public', 'signed_in')"""):
        yield f"scope {scope}", f"The scope {kind} has members of its own; it needs none."
    for image, kind in _rows("""
        SELECT f.image_id, f.kind FROM imaging_imagefile f
        JOIN imaging_image i ON i.id = f.image_id
        JOIN imaging_imagefile o ON o.image_id = f.image_id AND o.kind = 'original' AND o.blob_id = f.blob_id
        WHERE f.kind <> 'original' AND i.stripped NOT IN ('[]'::jsonb, '{}'::jsonb, 'null'::jsonb)"""):
        yield f"image {image}", f"Its {kind} file is the original, though there was data to be taken out of it."
    for image, kind in _rows(
        """
        SELECT image_id, kind FROM imaging_imagefile
        WHERE NOT kind = ANY(%s) OR (kind <> 'original' AND recipe = '')""",
        [list(FileKind.values)],
    ):
        yield f"image {image}", f"It has a file of kind {kind} that no recipe made."


def deliveries_add_up(_look: Look) -> Iterator[tuple[str, str]]:
    """A delivery that is done has a final verdict for every file, and an image for every accepted one."""
    for upload, members, verdicts, waiting in _rows("""
        SELECT d.upload_id, d.members, count(v.id), count(v.id) FILTER (WHERE v.outcome = 'waiting')
        FROM provenance_delivery d LEFT JOIN provenance_verdict v ON v.delivery_id = d.upload_id
        WHERE d.state = 'done' GROUP BY d.upload_id
        HAVING count(v.id) FILTER (WHERE v.outcome = 'waiting') > 0 OR count(v.id) IS DISTINCT FROM d.members"""):
        yield (
            f"delivery {upload}",
            f"It is done with {verdicts} verdicts for {members} files, {waiting} of them waiting.",
        )
    for verdict, path, accession, state in _rows("""
        SELECT v.id, v.path, a.id, a.state
        FROM provenance_verdict v JOIN provenance_accession a ON a.id = v.accession_id
        WHERE v.outcome IN ('accepted', 'linked') AND a.state <> 'converted'"""):
        yield f"verdict {verdict}", f"{path} is accepted, but accession {accession} is {state}."


def counts_add_up(_look: Look) -> Iterator[tuple[str, str]]:
    """The tally from which the public archive is counted says what counting says."""
    for tallied, counted in _rows("""
        SELECT t.number, p.number FROM (SELECT COALESCE(sum(delta), 0) AS number FROM access_tally) t,
        (SELECT count(*) AS number FROM access_placement p JOIN access_scope s ON s.id = p.scope_id
         WHERE s.kind = 'public' AND p.opens IS NULL) p WHERE t.number <> p.number"""):
        yield "the public scope", f"Its tally says {tallied} images without embargo, and {counted} hang there."


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "Every acknowledged upload and every original exists.", uploads_and_originals_exist),
    Invariant("I2", "Nothing is twice in a cohort.", nothing_twice_in_a_cohort),
    Invariant("I3", "No row without its blob, no blob without a row.", rows_and_blobs_agree),
    Invariant("ranges", "Every composed blob has all that it is composed of.", compositions_are_whole),
    Invariant("I5", "What was refused leaves no bytes reachable.", refused_leaves_nothing),
    Invariant("I6", "The ledger is append-only, and its hash chain holds to its end.", ledger_is_whole),
    Invariant("I7", "No private byte is reachable by the public.", private_stays_private),
    Invariant("deliveries", "Every file of a finished delivery has its verdict.", deliveries_add_up),
    Invariant("formats", "Every bundle has its parts, and every image the files of its kind.", kinds_are_whole),
    Invariant("sharing", "Collections show what was shared, to whom it was, and nothing else.", sharing_is_as_granted),
    Invariant("counts", "The public archive is counted right.", counts_add_up),
    Invariant("search", "Search finds what the tables say, and nothing else.", search_says_what_tables_say),
)


def _acknowledged_parts() -> Iterator[tuple[str, str]]:
    folder = settings.ENVIRONMENT.data / "uploads"
    for pk, filename, offset in _rows(
        'SELECT id, filename, "offset" FROM storage_upload WHERE state = \'receiving\' AND "offset" > 0'
    ):
        path = folder / f"{pk}.part"
        length = path.stat().st_size if path.exists() else 0
        # Looked at again, because the upload may have been finished or cancelled meanwhile.
        if length < offset and _column("SELECT 1 FROM storage_upload WHERE id = %s AND state = 'receiving'", [pk]):
            yield f"upload {pk}", f"{offset} bytes of {filename} were acknowledged, and {length} are there."


def _wrong_bytes(sha256: str, size: int, look: Look) -> str:
    """What is wrong with a blob's file, or nothing."""
    if look.deep:
        finding = examine_blob(sha256, size, progress=look.progress)
        words = finding.words if finding else ""
    else:
        try:
            length = blob_store().path(sha256).stat().st_size
        except FileNotFoundError:
            words = f"Blob {sha256} ({size} bytes) has no file."
        else:
            words = "" if length == size else f"Blob {sha256} should have {size} bytes and has {length}."
    if look.progress:
        look.progress(1, 0)
    # A blob swept meanwhile is no violation.
    if words and not _column("SELECT 1 FROM storage_blob WHERE sha256 = %s", [sha256]):
        return ""
    return words


def _list(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:10]))
    return f"{shown} and {len(ids) - 10} more" if len(ids) > 10 else shown
