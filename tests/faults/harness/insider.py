"""A client on the same machine, a process that is killed like all others: `insider.py setup|work …`.

It delivers files by the local way, describes and publishes them, and does the upkeep, each through the real workflow.
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
from tests.faults.harness.history import History, read_histories
from tests.faults.harness.pictures import package

OWNER, STAFF = "alice@example.org", "sam@example.org"
# Longer than any job takes from staging to its rows, lingering included.
_STRAYS = timedelta(seconds=20)


def setup(cohorts):
    """Alice with a token and cohorts, and Sam, who decides. Prints JSON."""
    alice = create_user(email=OWNER, password="correct horse battery staple")
    create_user(email=STAFF, password="correct horse battery staple", staff=True)
    _token, secret = create_token(user=alice, name="faults", scope="write", expires=None)
    contributor = create_contributor(creator=alice, institution_name="Clinic of Exampleton")
    accept_agreement(contributor=contributor, actor=alice, version=AGREEMENT_VERSION)
    made = [
        create_cohort(
            contributor=contributor, creator=alice, name=f"Cohort {n}", licence="CC-BY-4.0", attribution="Clinic"
        ).pk
        for n in range(cohorts)
    ]
    print(json.dumps({"token": secret, "cohorts": made}))


class Insider:
    """Works through its numbers; after it was killed the next one goes on behind the last intent."""

    def __init__(self, name, seed, cohorts, folder):
        self.name, self.seed, self.cohorts = name, seed, cohorts
        done = [event for event in read_histories(folder) if event["client"] == name and event["event"] == "intent"]
        self.number = max((event["delivery"] for event in done), default=100_000) + 1
        self.history = History(folder / f"{name}.jsonl")

    def run(self, stop):
        while not stop.exists():
            rng = random.Random(f"insider {self.seed} {self.number}")
            acts = [self.deliver]
            acts += [self.describe] if rng.random() < 0.6 else []
            acts += [self.publish] if rng.random() < 0.7 else []
            acts += [self.sweep] if rng.random() < 0.6 else []
            acts += [self.erase] if rng.random() < 0.4 else []
            for act in acts:
                try:
                    close_old_connections()
                    act(rng)
                except (Error, DomainError, OSError) as error:
                    # What is not acknowledged is promised to nobody.
                    print(f"{act.__name__}: {type(error).__name__}: {error}", flush=True)
                    connection.close()
                    time.sleep(0.5)
            self.number += 1
            time.sleep(rng.uniform(0, 1))

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
    else:
        name, seed, cohorts, folder, stop = sys.argv[2:]
        Insider(name, seed, json.loads(cohorts), Path(folder)).run(Path(stop))


if __name__ == "__main__":
    main()
