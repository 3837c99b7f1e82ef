"""What the verbs of events mean, as sentences: one row a verb, and a verb without a row is shown as it is.

To record a new verb, add a row here. Words in braces are details: a number or a list is counted (`{images}` → 214
images), the id of a person becomes their name, other text stands as it is, and what is missing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECTIONS = (
    "Uploads and files",
    "Metadata",
    "Review",
    "Publication",
    "Collections",
    "Archives",
    "Sockets",
    "How items are shown",
    "People",
    "Consent and erasure",
    "Accounts",
    "Archive",
)
UPLOADS, METADATA, REVIEW, PUBLICATION, COLLECTIONS, ARCHIVES = SECTIONS[:6]
SOCKETS, VIEWING, PEOPLE, RIGHTS, ACCOUNTS, SYSTEM = SECTIONS[6:]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: under what it is filtered, and what somebody did."""

    section: str
    words: str


def _table(section: str, verbs: Mapping[str, str]) -> dict[str, Verb]:
    return {name: Verb(section, words) for name, words in verbs.items()}


VERBS: dict[str, Verb] = {
    **_table(
        UPLOADS,
        {
            "delivery.received": "uploaded files",
            "delivery.imported": "brought {images} from {host}",
            "accessions.converted": "took in {accessions}",
            "accessions.reconversion_begun": "began to convert {accessions} again",
            "accessions.reconverted": "converted {accessions} again",
            "accessions.purged": "removed {accessions} for good: {reason}",
            "cohort.moved_out": "moved {accessions} to cohort {other_cohort}",
            "cohort.moved_in": "took {accessions} over from cohort {other_cohort}",
            "cohort.merged": "merged cohort {from_cohort} into this one: {accessions}",
            "accession.copy_asked": "asked for the de-identified DICOM of {accessions}",
            "image.file_replaced": "replaced the file of an image (version {version})",
            "image.file_changed": "changed the file of an image (version {version})",
            "image.redacted": "blacked out parts of an image (version {version})",
        },
    ),
    **_table(
        METADATA,
        {
            "metadata.applied": "applied a spreadsheet: {changed} with new values",
            "metadata.undone": "undid the application of a spreadsheet for {undone}",
            "metadata.corrected": "corrected published metadata: {fields}",
            "metadata.field_removed": "removed the field {field} from {accessions}: {reason}",
        },
    ),
    **_table(REVIEW, {"accessions.reviewed": "reviewed {accessions}: {decision} {reason_code}"}),
    **_table(
        PUBLICATION,
        {
            "publication.requested": "asked to publish {images} ({visibility})",
            "publication.accepted": "accepted a request to publish",
            "publication.rejected": "rejected a request to publish",
            "publication.read": "read a request as second reader",
            "images.published": "published {images} ({visibility})",
            "image.withdrawn": "withdrew an image: {reason}",
            "image.unpublished": "made an image private again: {reason}",
        },
    ),
    **_table(
        COLLECTIONS,
        {
            "collection.created": "made a collection",
            "collection.changed": "changed a collection: {fields}",
            "collection.images_added": "added {images} to a collection",
            "collection.images_removed": "removed {images} from a collection",
            "collection.pinned": "pinned a collection",
            "collection.unpinned": "unpinned a collection",
            "collection.locked": "locked a collection",
            "collection.unlocked": "unlocked a collection",
            "collection.shared": "shared a collection with {user}",
            "collection.share_revoked": "ended the sharing of a collection with {user}",
            "collection.editor_named": "made {user} an editor of a collection",
            "collection.deleted": "deleted a collection",
            "image.pinned": "pinned an image",
            "image.unpinned": "unpinned an image",
            "images.pins_ordered": "put {images} into another order",
        },
    ),
    **_table(
        ARCHIVES,
        {
            "archive.created": "made an archive",
            "archive.changed": "changed an archive: {fields}",
            "archive.logo_chosen": "chose a logo for an archive",
            "archive.logo_removed": "removed the logo of an archive",
            "archive.person_set": "made somebody {role} of an archive",
            "archive.person_removed": "removed somebody from an archive",
            "archive.person_left": "left an archive",
            "archive.person_ended": "removed somebody from an archive whose time was over",
            "archive.end_passed_over": "kept the last editor of an archive, whose time was over",
            "archive.invited": "invited somebody to an archive ({role})",
            "archive.invitation_revoked": "revoked an invitation to an archive",
            "archive.invitation_accepted": "accepted an invitation to an archive",
            "archive.access_asked": "asked to see an archive",
            "archive.access_accepted": "accepted a request to see an archive",
            "archive.access_rejected": "rejected a request to see an archive",
            "archive.access_withdrawn": "asked no longer to see an archive",
            "archive.terms_asked_anew": "held {users} of an archive until they accept version {version} of its text",
            "archive.terms_accepted": "accepted version {version} of an archive's data-use text",
            "archive.link_made": "made a link for reviewers of an archive",
            "archive.link_revoked": "revoked a link for reviewers of an archive",
            "archive.agreed": "agreed to an archive",
            "archive.declined": "declined an archive",
            "archive.proposed_again": "asked the staff again to agree to an archive",
            "archive.items_uploaded": "uploaded {items} to an archive",
            "archive.items_trashed": "put {items} of an archive into the trash",
            "archive.items_restored": "took {items} of an archive out of the trash",
            "archive.values_imported": "imported values for {items} of an archive",
            "archive.used": "used {items} of an archive: {service}",
        },
    ),
    **_table(
        SOCKETS,
        {
            "socket.defined": "defined the socket {slug}",
            "socket.changed": "changed the socket {slug}: {fields}",
        },
    ),
    **_table(
        VIEWING,
        {
            "hanging_protocol.created": "made the hanging protocol {slug}",
            "hanging_protocol.changed": "changed the hanging protocol {slug}: {fields}",
            "hanging_protocol.deleted": "deleted the hanging protocol {slug}",
            "viewer_configuration.created": "made the viewer configuration {slug}",
            "viewer_configuration.changed": "changed the viewer configuration {slug}: {fields}",
            "viewer_configuration.deleted": "deleted the viewer configuration {slug}",
            "window_preset.created": "made the window preset {slug}",
            "window_preset.changed": "changed the window preset {slug}: {fields}",
            "window_preset.deleted": "deleted the window preset {slug}",
            "look_up_table.created": "made the look-up table {slug}",
            "look_up_table.changed": "changed the look-up table {slug}: {fields}",
            "look_up_table.deleted": "deleted the look-up table {slug}",
            "viewer.registered": "registered the viewer {slug}",
            "viewer.changed": "changed the viewer {slug}: {fields}",
            "viewer.removed": "removed the viewer {slug}",
        },
    ),
    **_table(
        PEOPLE,
        {
            "contributor.created": "made the contributor",
            "contributor.changed": "changed the contributor: {fields}",
            "contributor.merged": "merged another contributor into this one",
            "contributor.agreement_accepted": "accepted the agreement, version {version}",
            "contributor.owner_added": "made {user} an owner of the contributor",
            "contributor.owner_removed": "ended the ownership of {user}",
            "contributor.member_set": "gave {user} the role {role} in the contributor",
            "contributor.member_removed": "removed {user} from the contributor",
            "contributor.transferred": "handed the contributor over from {giver} to {taker}",
            "contributor.invited": "invited somebody to the contributor as {role}",
            "contributor.invitation_revoked": "took an invitation to the contributor back",
            "contributor.invitation_accepted": "accepted an invitation to the contributor as {role}",
            "cohort.created": "made the cohort",
            "cohort.changed": "changed the cohort: {fields}",
            "cohort.attested": "attested for the cohort",
            "cohort.member_set": "gave {user} the role {role} in the cohort",
            "cohort.member_removed": "removed {user} from the cohort",
            "cohort.transferred": "handed the cohort over from {giver} to {taker}",
            "cohort.invited": "invited somebody to the cohort as {role}",
            "cohort.invitation_revoked": "took an invitation to the cohort back",
            "cohort.invitation_accepted": "accepted an invitation to the cohort as {role}",
            "group.created": "made a group",
            "group.renamed": "renamed a group",
            "group.invited": "invited somebody to a group",
            "group.invitation_revoked": "took an invitation to a group back",
            "group.role_changed": "changed the role of {user} in a group",
            "group.member_removed": "removed {user} from a group",
            "group.left": "left a group",
            "group.deleted": "deleted a group",
        },
    ),
    **_table(
        RIGHTS,
        {
            "erasure.requested": "asked that a patient be erased",
            "erasure.confirmed": "confirmed the erasure of a patient",
            "erasure.declined": "declined the erasure of a patient",
            "erasure.done": "erased a patient",
        },
    ),
    **_table(
        ACCOUNTS,
        {
            "user.created": "signed up",
            "user.profile_changed": "changed their profile",
            "user.export_requested": "asked for a copy of their data",
            "user.verification_asked": "asked to be verified by an institutional address",
            "user.verified": "verified somebody",
            "user.verification_ended": "ended somebody's verification",
            "user.enabled": "enabled an account",
            "user.disabled": "disabled an account",
            "user.deleted": "deleted an account",
            "user.deletion_requested": "asked that their account be deleted",
            "user.deletion_cancelled": "took the wish back that their account be deleted",
            "user.accepted_terms": "accepted the terms, version {version}",
            "user.second_factor_changed": "changed their second factor: {change}",
            "user.sessions_ended": "ended {sessions}",
            "token.created": "made an API token ({scope})",
            "token.revoked": "revoked an API token",
            "token.all_revoked": "revoked {tokens}",
            "application.registered": "registered the application {name}",
            "application.changed": "changed the application {name}",
            "application.secret_changed": "gave the application {name} a new secret",
            "application.deleted": "deleted the application {name}",
            "application.allowed": "let the application {name} act for them ({scopes})",
            "application.disconnected": "disconnected the application {name}",
            "application.all_disconnected": "disconnected {applications}",
            "application.tokens_ended": "lost the tokens of the application {name}: {because}",
            "notifications.chosen": "changed what they are told",
        },
    ),
    **_table(
        SYSTEM,
        {
            "blob.quarantined": "put stored bytes into quarantine",
            "blob.released": "released stored bytes from quarantine",
            "blob.erased": "erased stored bytes",
            "ledger.redacted": "erased the details of {events}",
            "mail.given_up": "gave up a mail: {why}",
        },
    ),
}
_NOUNS = {
    "accessions": ("submission", "submissions"),
    "changed": ("image", "images"),
    "undone": ("image", "images"),
    "events": ("event", "events"),
    "images": ("image", "images"),
    "items": ("item", "items"),
    "patients": ("patient", "patients"),
    "lesions": ("lesion", "lesions"),
    "rows": ("row", "rows"),
    "sessions": ("session", "sessions"),
    "tokens": ("API token", "API tokens"),
    "applications": ("application", "applications"),
}
PERSONS = ("user", "giver", "taker")
"""Details that hold ids of people."""

_DETAIL = re.compile(r"\{(\w+)\}")
_LEFT_OVER = re.compile(r"\s*\(\s*\)|:?\s*$|\s+(?=[,.)])")


def section_of(verb: str) -> str:
    """Under what a verb is filtered; what is not known belongs to the archive itself."""
    return VERBS[verb].section if verb in VERBS else SYSTEM


def verbs_in(section: str) -> list[str]:
    """The verbs of a section."""
    return [name for name, verb in VERBS.items() if verb.section == section]


def sentence(verb: str, details: Mapping[str, Any], *, names: Mapping[int, str]) -> str:
    """What was done, without who did it; `names` are those of people in the details.

    >>> sentence("images.published", {"images": [4, 7], "visibility": "public"}, names={})
    'published 2 images (public)'
    >>> sentence("contributor.owner_added", {"user": 7}, names={7: "Alice"})
    'made Alice an owner of the contributor'
    >>> sentence("image.withdrawn", {"erased": True}, names={}), sentence("thing.frobnicated", {}, names={})
    ('withdrew an image', 'thing.frobnicated')
    """
    if verb not in VERBS:
        return verb
    words = _DETAIL.sub(lambda found: _in_words(found[1], details.get(found[1]), names), VERBS[verb].words)
    return _LEFT_OVER.sub("", re.sub(r"\s{2,}", " ", words)).strip()


def _in_words(name: str, value: object, names: Mapping[int, str]) -> str:
    if name in PERSONS:
        return names.get(value, "somebody") if isinstance(value, int) else "somebody"
    if isinstance(value, list) and name not in _NOUNS:
        return ", ".join(map(str, value)).replace("_", " ")
    number = len(value) if isinstance(value, list) else value
    if isinstance(number, int) and not isinstance(number, bool):
        one, many = _NOUNS.get(name, ("", ""))
        return f"{number:,} {one if number == 1 else many}".strip()
    if number is None:
        return _NOUNS[name][1] if name in _NOUNS else ""
    return str(number).replace("_", " ") if name not in {"reason", "why"} else str(number)
