"""What each licence, visibility and state looks like: one icon, one tone and one word, the same everywhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chip:
    """An icon of the sprite, a tone of the style sheet ('' is neutral), a word, and a sentence for the hover."""

    icon: str
    tone: str
    label: str
    title: str = ""


LICENCES = {
    "CC0-1.0": Chip("scale", "", "CC0", "CC0 1.0: no rights reserved"),
    "CC-BY-4.0": Chip("scale", "", "CC BY 4.0", "Creative Commons Attribution 4.0: name the source"),
    "CC-BY-NC-4.0": Chip(
        "scale", "", "CC BY-NC 4.0", "Creative Commons Attribution-NonCommercial 4.0: name the source, do not sell"
    ),
}

LICENCE_TEXTS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
}

VISIBILITIES = {
    "private": Chip("lock", "", "Private", "Visible to the cohort's owners and staff"),
    "groups": Chip("users", "", "Named groups", "Visible to the named groups"),
    "signed_in": Chip("user-round", "info", "Signed-in users", "Visible to everyone who is logged in"),
    "public": Chip("globe", "accent", "Public", "Visible to everyone"),
    "embargoed": Chip("clock", "warning", "Embargoed", "Becomes visible on a date"),
    "withdrawn": Chip("eye-off", "danger", "Withdrawn", "No longer visible"),
    "erased": Chip("trash-2", "danger", "Erased", "The files are gone"),
}

STATES = {
    # uploads and deliveries
    "waiting": Chip("clock", "", "Waiting"),
    "uploading": Chip("cloud-upload", "info", "Uploading"),
    "receiving": Chip("cloud-upload", "info", "Uploading"),
    "arriving": Chip("inbox", "info", "Arrived"),
    "unpacking": Chip("loader", "info", "Being unpacked"),
    "unpacked": Chip("inbox", "info", "Unpacked"),
    "converting": Chip("loader", "info", "Being read"),
    "running": Chip("loader", "info", "Running"),
    "done": Chip("circle-check", "success", "Finished"),
    "finished": Chip("circle-check", "success", "Finished"),
    "failed": Chip("octagon-x", "danger", "Failed"),
    "cancelled": Chip("circle-slash", "", "Cancelled"),
    # what became of one file
    "accepted": Chip("circle-check", "success", "Accepted"),
    "linked": Chip(
        "circle-check", "success", "Accepted, linked", "The same content was here already; the two are linked"
    ),
    "duplicate": Chip("copy", "warning", "Duplicate name", "Another file of the cohort has this name"),
    "skipped": Chip("skip-forward", "", "Skipped", "No image: left out"),
    "refused": Chip("circle-x", "danger", "Refused", "Refused by the machine, with a reason"),
    # accessions, review and publication
    "received": Chip("inbox", "info", "Received"),
    "converted": Chip("image", "success", "Ready"),
    "draft": Chip("circle-dashed", "", "Draft"),
    "unreviewed": Chip("circle-dashed", "", "Not reviewed"),
    "flagged": Chip("flag", "warning", "Flagged", "A reviewer wants somebody else to look at it"),
    "requested": Chip("clock", "warning", "Waiting for a reviewer"),
    "publishing": Chip("loader", "info", "Being published"),
    "published": Chip("globe", "accent", "Published"),
    "rejected": Chip("ban", "danger", "Rejected", "Rejected by a person, with a reason"),
    # versions of a file
    "candidate": Chip("clock", "warning", "Waits for review"),
    "current": Chip("circle-check", "success", "In use"),
    "superseded": Chip("circle-slash", "", "Kept, not in use"),
    # metadata files
    "checking": Chip("loader", "info", "Being checked"),
    "invalid": Chip("circle-x", "danger", "Has problems", "Nothing of it was applied"),
    "ready": Chip("circle-dashed", "warning", "Ready to apply", "Checked; waits for a person to apply it"),
    "applying": Chip("loader", "info", "Being applied"),
    "applied": Chip("circle-check", "success", "Applied"),
    "undoing": Chip("loader", "info", "Being undone"),
    "undone": Chip("undo-2", "", "Undone", "Values are as they were before it was applied"),
    # tokens, services, stored bytes
    "active": Chip("circle-check", "success", "Active"),
    "expired": Chip("clock", "", "Expired"),
    "revoked": Chip("ban", "danger", "Revoked"),
    "ok": Chip("circle-check", "success", "Working"),
    "warning": Chip("triangle-alert", "warning", "Look at this"),
    "down": Chip("octagon-x", "danger", "Not working"),
    "quarantined": Chip("triangle-alert", "danger", "Quarantined", "The stored bytes are not those that came in"),
}


def licence_chip(licence: str) -> Chip:
    """The chip of an SPDX identifier; one that is not ours shows as it is."""
    return LICENCES.get(licence) or Chip("scale", "", licence)


def visibility_chip(visibility: str) -> Chip:
    """The chip of a visibility; an unknown one shows as its own word."""
    return VISIBILITIES.get(visibility) or Chip("circle-help", "", _sentence(visibility))


def state_chip(state: str, label: str = "", title: str = "") -> Chip:
    """The chip of a state, with the caller's words where given; an unknown one shows as its own word."""
    known = STATES.get(state) or Chip("circle-dashed", "", _sentence(state))
    return Chip(known.icon, known.tone, label or known.label, title or known.title)


def _sentence(code: str) -> str:
    return code.replace("_", " ").replace("-", " ").capitalize()
