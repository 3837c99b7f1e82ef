"""A slice of the crash test (the whole: `make faults`): killed processes lose nothing and make nothing twice."""

import threading
from functools import partial

import pytest

from tests.faults.harness.pictures import package
from tests.faults.harness.sender import Sender
from tests.faults.harness.storm import Storm

pytestmark = pytest.mark.faults
SEED = 20_260
CLIENTS = 16


def test_nothing_is_lost_and_nothing_twice_though_everything_is_killed(folder):
    with Storm(folder, seed=SEED) as storm:
        storm.rage(12, pace=(0.2, 1.5))
        report = storm.judge()
        kills = storm.kills
    assert report["violations"] == []
    assert report["counts"]["complete"] >= 12
    assert kills.total() >= 3, f"hardly anything was killed: {kills}"


def test_sixteen_clients_with_the_same_zip_make_each_accession_once(folder):
    with Storm(folder, seed=SEED) as storm:
        number = next(n for n in range(1, 100) if package(SEED, n).has_cases)
        gate = threading.Barrier(CLIENTS)

        def once():
            yield number
            yield None

        def at_once(numbers):
            found = next(numbers)
            if found is not None:
                gate.wait(timeout=60)
            return found

        senders = [
            Sender(
                f"twin-{n}",
                port=storm.archive.port,
                token=storm.facts["token"],
                cohorts=storm.facts["cohorts"],
                seed=SEED,
                numbers=partial(at_once, once()),
                history=storm.archive.history,
                pause=0,
            )
            for n in range(CLIENTS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(timeout=120)
            assert sender.failure is None
        storm.rest()
        report = storm.judge()
        accessions = storm.archive.ask("SELECT name FROM provenance_accession WHERE state = 'converted'")
    names = {
        member.case or member.path.rsplit("/", 1)[-1]
        for member in package(SEED, number).members
        if member.fate == "good"
    }
    assert report["violations"] == []
    assert report["counts"]["complete"] == CLIENTS
    assert sorted(name for (name,) in accessions) == sorted(names)
