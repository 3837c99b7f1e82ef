"""A job that fails leaves a line in the log of its worker, with nothing in it that came from outside."""

import logging

from medtheca.base.errors import Invalid
from medtheca.base.failures import note_failure


def test_a_failure_is_logged_without_what_somebody_sent(caplog):
    caplog.set_level(logging.WARNING)
    note_failure("convert.batch", FileNotFoundError("Originals cannot be read: accession 7"))
    note_failure("describe.file", Invalid("Mary Canary is no age."))
    note_failure("describe.file", ValueError("Mary Canary"))
    assert [record.getMessage() for record in caplog.records] == [
        "Job convert.batch failed: FileNotFoundError: Originals cannot be read: accession 7",
        f"Job describe.file failed: {Invalid.code}.",
        "Job describe.file failed: ValueError.",
    ]
