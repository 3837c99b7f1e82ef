"""Why there is no download, or none any more."""

from medtheca.base.errors import Conflict, Erased, Invalid

ANEW = "Make it anew: the new one has what there is now."


class NothingFound(Invalid):
    """There is not one image."""

    code = "nothing_found"


class TooMany(Invalid):
    """More images than one download may have."""

    code = "too_many_images"


class TooManyOpen(Conflict):
    """As many downloads of a person as may be."""

    code = "too_many_downloads"


class Expired(Erased):
    """Its time is over."""

    code = "download_expired"


class Changed(Erased):
    """Something of it is not there any more, or not for whoever asks: the whole is not what was asked for."""

    code = "download_changed"


class Failed(Conflict):
    """It could not be made ready."""

    code = "download_failed"


class NotThereYet(Conflict):
    """An image has no file that could be sent."""

    code = "no_file_yet"
