"""What the toolkit raises: one refusal reads the same whether a ZIP, a picture or a name caused it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not taken in: a stable code for programs, a sentence and a way out for its owner."""

    code: str
    message: str
    remedy: str


class Refused(Exception):
    """The input is refused: `code` is stable, `message` says what is wrong, `remedy` what would be right."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)  # all three, so that it survives pickling between processes
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    @property
    def problem(self) -> Problem:
        """The same verdict as a value."""
        return Problem(self.code, self.message, self.remedy)
