"""Clients on the same machine, processes that are killed like all others: `insider.py setup|deliver|change|settle …`.

One delivers files by the local way, describes and publishes them, and does the upkeep, each through the real workflow.
The other changes what is there (`changes`); by itself, since a turn of both is longer than the time between two kills.
"""

import csv
import io
import json
import os
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")

import django

django.setup()

# ruff: noqa: E402 - after the set-up above
from django.db import Error, close_old_connections, connection

from medtheca.base.errors import Conflict, DomainError
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.operations import create_token, create_user
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.upkeep import erase_blobs, run_upkeep
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.local_ingest import deliver_paths
from tests.faults.harness.changes import OWNER, STAFF, Changer
from tests.faults.harness.history import History, read_histories
from tests.faults.harness.pictures import package

# Longer than any job takes from staging to its rows, lingering included.
_PATIENCE = 200
_BETWEEN_ACTS = 1_000_000
_STRAYS = timedelta(seconds=60)
# More wait only where the worker cannot keep up, and what comes last is then done in peace, when the storm is over.
# Changes may ask for more, each needs what was asked for before it.
_ENOUGH_JOBS = {"insider": 10, "changer": 30}


def setup(cohorts):
    """Alice with a token and cohorts, and Sam, who decides. Prints JSON."""
    alice = create_user(email=OWNER, password="correct horse battery staple")
    create_user(email=STAFF, password="correct horse battery staple", staff=True)
    _token, secret = create_token(user=alice, name="faults", scope="write", expires=None)
    contributor = create_contributor(creator=alice, institution_name="Clinic of Exampleton")
    accept_agreement(contributor=contributor, actor=alice, version=AGREEMENT_VERSION)
    made = [_cohort(contributor, alice, f"Cohort {n}") for n in range(cohorts)]
    other = create_contributor(creator=alice, institution_name="Practice of Exampleton")
    accept_agreement(contributor=other, actor=alice, version=AGREEMENT_VERSION)
    print(json.dumps({"token": secret, "cohorts": made, "changing": _cohort(other, alice, "Changing")}))


def _cohort(contributor, owner, name):
    return create_cohort(
        contributor=contributor, creator=owner, name=name, licence="CC-BY-4.0", attribution="Clinic"
    ).pk


class Insider(Changer):
    """Works through its numbers; after it was killed the next one goes on behind the last intent."""

    def __init__(self, name, seed, cohorts, changing, folder):
        self.name, self.seed, self.cohorts, self.changing = name, seed, cohorts, changing
        known = [event for event in read_histories(folder) if event["client"] == name]
        self.number = 1 + max((event["number"] for event in known if event["event"] == "turn"), default=100_000)
        self.history, self.folder = History(folder / f"{name}.jsonl"), folder

    def run(self, stop, choose):
        """Take turns: the acts that `choose` picks by chance, until somebody makes the file `stop`."""
        while not stop.exists():
            rng = random.Random(f"{self.name} {self.seed} {self.number}")
            # Whatever of this number was done before it is killed is not done again by the next.
            self.history.note("turn", number=self.number)
            for act in choose(rng) if self._waiting_jobs() < _ENOUGH_JOBS[self.name] else ():
                try:
                    close_old_connections()
                    act(rng)
                except (Error, DomainError, OSError) as error:
                    # What is not acknowledged is promised to nobody.
                    print(f"{act.__name__}: {type(error).__name__}: {error}", flush=True)
                    connection.close()
                    time.sleep(0.5)
                if stop.exists():
                    return
            self.number += 1
            time.sleep(rng.uniform(0, 1))

    def act(self, number, acts):
        """Do acts in order, each when the jobs of the one before are done; those that an earlier process did not."""
        for place, name in enumerate(acts):
            self.number = number + place * _BETWEEN_ACTS
            done = self.folder / f"{self.name}-{number}-{place}-{name}.done"
            if not done.exists():
                try:
                    getattr(self, name)(random.Random(f"{number} {place}"))
                except DomainError as refusal:
                    # What there is nothing for, or no more, is passed over.
                    print(f"{name}: {type(refusal).__name__}: {refusal}", flush=True)
                done.touch()
            self._wait_for_jobs()

    def _wait_for_jobs(self):
        until = time.monotonic() + _PATIENCE
        while self._waiting_jobs():
            assert time.monotonic() < until, f"jobs are left after {_PATIENCE} s"
            time.sleep(0.05)

    def deliveries(self, rng):
        """What the one client does in a turn."""
        acts = [(self.deliver, 1), (self.describe, 0.6), (self.publish, 0.7), (self.sweep, 0.6), (self.erase, 0.4)]
        return [act for act, chance in acts if rng.random() < chance]

    def changes(self, rng):
        """What the other does, in any order: each finds in the tables what there is for it to do."""
        acts = [
            (self.bring, 0.8),
            (self.tie, 1),
            (self.show, 0.6),
            (self.replace, 0.9),
            (self.judge, 0.5),
            (self.redact, 0.9),
            (self.try_out, 0.8),
            (self.forget, 0.6),
        ]
        return rng.sample(chosen := [act for act, chance in acts if rng.random() < chance], len(chosen))

    def _waiting_jobs(self):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
                return cursor.fetchone()[0]
        except Error:
            connection.close()
            return 0

    def deliver(self, rng):
        parcel = package(self.seed, self.number)
        user, cohort = User.objects.get(email=OWNER), Cohort.objects.get(pk=rng.choice(self.cohorts))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, parcel.filename)
            path.write_bytes(parcel.data)
            self.history.note("intent", delivery=self.number, cohort=cohort.pk, by="local", **parcel.facts())
            (upload,) = deliver_paths(user=user, cohort=cohort, paths=[path], progress=lambda _: None)
        self.history.note("complete", delivery=self.number, upload=str(upload))

    def describe(self, rng):
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM provenance_accession WHERE cohort_id = %s LIMIT 200", [self.cohorts[0]])
            names = [name for (name,) in cursor.fetchall()]
        if names:
            table = io.StringIO()
            rows = csv.writer(table)
            rows.writerow(["filename", "age", "sex", "patient_id"])
            picked = rng.sample(names, min(len(names), 5))
            rows.writerows([name, rng.randrange(1, 17) * 5, "female", f"p{rng.randrange(9)}"] for name in picked)
            user = User.objects.get(email=OWNER)
            data = table.getvalue().encode()
            # Some of the images are public by now, which needs a reason.
            file = give_metadata(
                user=user, cohort_id=self.cohorts[0], name=f"{self.number}.csv", data=data, reason="Described anew."
            )
            self.history.note("described", file=file.pk, rows=len(picked))

    def publish(self, rng):
        cohort = Cohort.objects.get(pk=rng.choice(self.cohorts))
        owner, staff = User.objects.get(email=OWNER), User.objects.get(email=STAFF)
        try:
            request = request_publication(
                cohort=cohort, requester=owner, visibility=rng.choice(["public", "signed_in"])
            )
        except Conflict:
            return
        self.history.note("asked", request=request.pk, cohort=cohort.pk, visibility=request.visibility)
        decide_publication(request_id=request.pk, staff=staff, accept=True)
        self.history.note("published", request=request.pk)

    def sweep(self, rng):
        run_upkeep(tombstone_grace=timedelta(0), sweep_window=timedelta(0), stray_grace=_STRAYS)

    def erase(self, rng):
        with keeping_blobs():
            staged = blob_store().stage([f"To be erased: {self.seed} {self.number}".encode()])
            store_blobs([staged])
        erase_blobs(sha256s=[staged.sha256], actor_id=None, reason="asked for")
        self.history.note("erased", sha256=staged.sha256)


def main():
    if sys.argv[1] == "setup":
        setup(int(sys.argv[2]))
        return
    name, seed, facts, folder, stop, *rest = sys.argv[2:]
    facts = json.loads(facts)
    insider = Insider(name, seed, facts["cohorts"], facts["changing"], Path(folder))
    if sys.argv[1] == "act":
        insider.act(int(rest[0]), rest[1:])
    elif sys.argv[1] == "settle":
        insider.settle(random.Random(0))
    else:
        insider.run(Path(stop), insider.changes if sys.argv[1] == "change" else insider.deliveries)


if __name__ == "__main__":
    main()
