"""Why a search is not kept."""

from medtheca.base.errors import Conflict


class SearchNameTaken(Conflict):
    """The person has another saved search of this name."""

    code = "name_taken"


class TooManySaved(Conflict):
    """As many saved searches as one person may have."""

    code = "too_many_saved_searches"
