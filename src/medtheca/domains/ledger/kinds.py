"""Every kind of notification: what it tells, who gets it, and how it comes unless they chose otherwise.

To add a kind, add a row here and call `notifying.notify`. The words given there go into mail: the name of a cohort is
fine for its people; file names, private ids and values of metadata are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from medtheca.domains.ledger.enums import Channel


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification.

    Args:
        name: `subject.event`, as callers of `notify` write it.
        title: what happened, as a heading.
        audience: who gets it, as a sentence's end: "for …".
        default: how it comes to those who chose nothing.
        section: under which heading of the preferences it stands.
        staff: for staff alone; others are not offered it.
        must: of an account's safety; it cannot be turned off altogether.
    """

    name: str
    title: str
    audience: str
    default: Channel = Channel.MAIL
    section: str = "Contributing"
    staff: bool = False
    must: bool = False


_CONTRIBUTING, _REVIEW, _COLLECTIONS, _ARCHIVES, _PEOPLE, _ACCOUNT = (
    "Contributing",
    "Review and publication",
    "Collections",
    "Archives",
    "People and rights",
    "Your account",
)
_OWNERS = "the owners of the cohort"

KINDS: tuple[Kind, ...] = (
    Kind("delivery.done", "An upload was worked through", "whoever uploaded"),
    Kind("archive.upload_done", "An upload to an archive was worked through", "whoever uploaded"),
    Kind("archive.values_imported", "A spreadsheet of values was applied to an archive", "whoever gave it"),
    Kind("delivery.done_for_owners", "Somebody else's upload was worked through", _OWNERS, Channel.PAGE),
    Kind("metadata.checked", "A spreadsheet was checked and can be applied", "whoever uploaded it"),
    Kind("metadata.invalid", "A spreadsheet was checked and has errors", "whoever uploaded it"),
    Kind("metadata.applied", "A spreadsheet was applied", "whoever applied it"),
    Kind("metadata.undone", "The application of a spreadsheet was undone", "whoever undid it"),
    Kind("replacement.done", "A replaced file was worked through", "whoever replaced it"),
    Kind("curation.done", "Staff work on many images has ended", "the staff who began it", staff=True),
    Kind("inspection.done", "A dry run has ended", "whoever asked for it", Channel.PAGE),
    Kind("cohort.changed", "Images were moved, or a cohort became part of another", _OWNERS),
    Kind("contributor.merged", "Your contributor was made one with another", "the owners of both"),
    Kind(
        "publication.asked",
        "Publication was asked for",
        "reviewers of the cohort, and staff where it has none",
        Channel.DIGEST,
        _REVIEW,
    ),
    Kind("publication.done", "Images were published", "whoever asked, and owners", section=_REVIEW),
    Kind("publication.rejected", "Publication was rejected", "whoever asked, and owners", section=_REVIEW),
    Kind("publication.withdrawn", "Images were withdrawn or made private again", _OWNERS, section=_REVIEW),
    Kind("review.outcome", "Images were reviewed", _OWNERS, Channel.DIGEST, _REVIEW),
    Kind("collection.shared", "A collection was shared with you", "whom it was shared with", section=_COLLECTIONS),
    Kind("archive.access_asked", "People ask to see an archive", "its editors", section=_ARCHIVES),
    Kind("archive.access_decided", "Your request to see an archive was decided", "whoever asked", section=_ARCHIVES),
    Kind("archive.proposed", "Archives wait for the staff's agreement", "the staff", section=_ARCHIVES, staff=True),
    Kind("archive.judged", "The staff judged your archive", "whoever made it", section=_ARCHIVES),
    Kind("archive.terms_changed", "An archive's data-use text is to be accepted anew", "its users", section=_ARCHIVES),
    Kind("erasure.asked", "An erasure waits for a second person", "who may confirm it", section=_PEOPLE),
    Kind("erasure.done", "A patient was erased", "whoever asked and confirmed", section=_PEOPLE),
    Kind("people.changed", "Your role was given, changed or ended", "whom it concerns", section=_PEOPLE),
    Kind("account.new_device", "A log-in from a device not seen before", "you", section=_ACCOUNT, must=True),
    Kind("account.token", "An API token was made", "you", Channel.PAGE, _ACCOUNT, must=True),
    Kind("account.application", "An application was registered in your name", "you", Channel.PAGE, _ACCOUNT, must=True),
    Kind("account.connection", "An application may act for you", "you", Channel.PAGE, _ACCOUNT, must=True),
    Kind("account.export", "Your data are ready to download", "you", section=_ACCOUNT),
)
_BY_NAME = {kind.name: kind for kind in KINDS}


def known(name: str) -> bool:
    """Whether a kind is declared here."""
    return name in _BY_NAME


def kind_of(name: str) -> Kind:
    """The kind of this name; one of its own making for a name that only a newer or older release knows."""
    return _BY_NAME.get(name) or Kind(name, name.replace(".", " ").replace("_", " ").capitalize(), "you", Channel.PAGE)
