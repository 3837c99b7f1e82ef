"""Every job by its name. A job repeated, or begun and cut off, does no harm."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from medtheca.base.failures import note_failure
from medtheca.domains.archives.people import end_stays
from medtheca.domains.archives.requests import accept_verified
from medtheca.domains.downloads.public_table import refresh_public_table
from medtheca.domains.imaging.near_duplicates import group_due
from medtheca.domains.ledger.operations import seal_events
from medtheca.domains.search.index.keeping import keep_index
from medtheca.domains.storage import letting_go
from medtheca.workflows import (
    account_upkeep,
    collecting,
    convert,
    copying,
    describe,
    downloading,
    inspect,
    leaving,
    mailing,
    personal_data,
    publish,
    receive,
    reconvert,
    redact,
    replace,
    resume,
    taking_back,
    upkeep,
)
from medtheca.workflows.archiving import settling, taking_in, value_sheets
from medtheca.workflows.erase import running

log = logging.getLogger(__name__)

# Tried again for most of a day, then whenever `work.resume` finds the work undone: what
# fails may be a full disk or a database that is away, and nothing may be lost.
_PATIENT = RetryStrategy(max_attempts=200, wait=2, linear_wait=4)


def _task(name: str, *, queue: str = "ingest", **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a job; unknown arguments from a newer release are passed over."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            close_old_connections()
            try:
                function(**arguments)
            except Exception as error:
                note_failure(name, error)
                raise
            finally:
                close_old_connections()

        decorate: Callable[..., Any] = app.task(name=name, queue=queue, retry=_PATIENT, **options)
        decorate(run)
        return run

    return register


@_task("receive.delivery")
def receive_delivery(*, upload_id: str, **_: Any) -> None:
    receive.receive_delivery(upload_id=UUID(upload_id))


@_task("archives.take_in")
def take_in_intake(*, intake_id: str, **_: Any) -> None:
    taking_in.take_in(intake_id=UUID(intake_id))


@_task("archives.settle")
def settle_delivery(*, delivery_id: str, **_: Any) -> None:
    settling.settle(delivery_id=UUID(delivery_id))


@_task("archives.import_values")
def import_values(*, import_id: str, **_: Any) -> None:
    value_sheets.work_on_values(import_id=UUID(import_id))


@_task("convert.batch")
def convert_batch(*, accession_ids: list[int], **_: Any) -> None:
    convert.convert_batch(accession_ids=accession_ids)


@_task("describe.file")
def describe_file(*, file_id: int, **_: Any) -> None:
    describe.describe_file(file_id=file_id)


@_task("copies.make")
def make_copy(*, accession_id: int, **_: Any) -> None:
    copying.make_copy(accession_id=accession_id)


@_task("convert.again")
def convert_again(*, errand_id: int, **_: Any) -> None:
    reconvert.reconvert_errand(errand_id=errand_id)


@_task("storage.let_go")
def let_go(**_: Any) -> None:
    letting_go.let_go()


@_task("inspect.files")
def inspect_files(*, inspection_id: str, **_: Any) -> None:
    inspect.inspect_given(inspection_id=UUID(inspection_id))


@_task("replace.accession")
def replace_accession(*, upload_id: str, **_: Any) -> None:
    replace.replace_accession(upload_id=UUID(upload_id))


@_task("publish.take_back")
def take_back(*, errand_id: int, **_: Any) -> None:
    taking_back.take_back_errand(errand_id=errand_id)


@_task("publish.request")
def publish_request(*, request_id: int, **_: Any) -> None:
    publish.publish_request(request_id=request_id)


@_task("collections.fill")
def fill_collection(*, batch_id: str, **_: Any) -> None:
    collecting.fill_collection(batch_id=UUID(batch_id))


@_task("downloads.prepare")
def prepare_download(*, download_id: str, **_: Any) -> None:
    downloading.prepare(download_id=UUID(download_id))


@_task("redact.accession")
def redact_accession(*, version_id: int, **_: Any) -> None:
    redact.redact_accession(version_id=version_id)


@_task("accounts.export", queue="upkeep")
def export_account(*, export_id: str, **_: Any) -> None:
    personal_data.make_export(export_id=UUID(export_id))


@_task("accounts.delete", queue="upkeep")
def delete_accounts(**_: Any) -> None:
    leaving.delete_due_accounts()


@app.periodic(cron="*/15 * * * *")
@app.task(name="accounts.keep_up", queue="upkeep", queueing_lock="accounts.keep_up", pass_context=False)
def keep_up_accounts(timestamp: int, **_: Any) -> None:
    close_old_connections()
    log.info("Accounts: %s", account_upkeep.keep_accounts())
    close_old_connections()


@_task("archives.accept_verified", queue="upkeep")
def accept_verified_people(*, user_id: int, **_: Any) -> None:
    accept_verified(user_id=user_id)


@app.periodic(cron="* * * * *")
@app.task(name="archives.end_stays", queue="upkeep", queueing_lock="archives.end_stays", pass_context=False)
def end_archive_stays(timestamp: int, **_: Any) -> None:
    close_old_connections()
    if number := end_stays():
        log.info("Archives: the time of %s people was over.", number)
    close_old_connections()


@_task("erase.patient")
def erase_patient(*, erasure_id: str, **_: Any) -> None:
    running.erase_patient(erasure_id=UUID(erasure_id))


@app.periodic(cron="* * * * *")
@app.task(name="ledger.seal", queue="upkeep", queueing_lock="ledger.seal", pass_context=False)
def seal_ledger(timestamp: int, **_: Any) -> None:
    close_old_connections()
    while seal_events():
        log.debug("Sealed a batch of events.")
    close_old_connections()


@app.periodic(cron="* * * * *")
@app.task(name="mail.send", queue="upkeep", queueing_lock="mail.send", pass_context=False)
def send_mail(timestamp: int, **_: Any) -> None:
    close_old_connections()
    mailing.send_due_mail()
    close_old_connections()


@app.periodic(cron="* * * * *")
@app.task(name="search.keep", queue="upkeep", queueing_lock="search.keep", pass_context=False)
def keep_search_index(timestamp: int, **_: Any) -> None:
    close_old_connections()
    done = keep_index()
    if done in {"rebuilt", "renewed"}:
        log.info("Search index: %s", done)
    close_old_connections()


@app.periodic(cron="* * * * *")
@app.task(name="duplicates.group", queue="upkeep", queueing_lock="duplicates.group", pass_context=False)
def group_near_duplicates(timestamp: int, **_: Any) -> None:
    close_old_connections()
    if number := group_due():
        log.info("Near-duplicates: looked at %s images.", number)
    close_old_connections()


@app.periodic(cron="* * * * *")
@app.task(name="downloads.public_table", queue="upkeep", queueing_lock="downloads.public_table", pass_context=False)
def keep_public_table(timestamp: int, **_: Any) -> None:
    close_old_connections()
    if refresh_public_table() == "made":
        log.info("The table of public metadata was made.")
    close_old_connections()


@app.periodic(cron="*/5 * * * *")
@app.task(name="work.resume", queue="upkeep", queueing_lock="work.resume", pass_context=False)
def resume_work(timestamp: int, **_: Any) -> None:
    close_old_connections()
    resume.resume_stranded()
    close_old_connections()


@app.periodic(cron="*/15 * * * *")
@app.task(name="storage.keep_up", queue="upkeep", queueing_lock="storage.keep_up", pass_context=False)
def keep_up_storage(timestamp: int, **_: Any) -> None:
    close_old_connections()
    done = upkeep.keep_up()
    log.info("Upkeep: %s", done)
    close_old_connections()
