"""The two commonest refusals, worded once."""

from medtheca.toolkit.errors import Refused


def truncated(what: str) -> Refused:
    return Refused("truncated", f"The file ends too early: {what}.", "Send the whole file again.")


def corrupt(what: str) -> Refused:
    return Refused(
        "corrupt", f"The file is damaged: {what}.", "Send the file again, or export it anew from its source."
    )


def unsupported(what: str, remedy: str) -> Refused:
    return Refused("unsupported_variant", what, remedy)
