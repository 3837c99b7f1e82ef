"""Why a search is not kept, or not answered."""

from medtheca.base.errors import Busy, Conflict


class SearchNameTaken(Conflict):
    """The person has another saved search of this name."""

    code = "name_taken"


class TooManySaved(Conflict):
    """As many saved searches as one person may have."""

    code = "too_many_saved_searches"


class SearchTooSlow(Busy):
    """The database took longer than anybody waits: the search was given up."""

    code = "search_too_slow"
    wait = 60

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"The search took the database longer than {seconds} s and was given up.",
            remedy="Try again in a minute: until the search index is ready, large searches are slow. Or ask for less.",
        )
