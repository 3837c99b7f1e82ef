"""`medtheca import isic` and a host that fails, lies and changes; and runs that are killed and go on."""

import hashlib
import os
import signal
import threading

import pytest

from medtheca.base.steps import ABORTED
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.origins import forget_origins_of
from tests.generators.images import jpeg
from tests.generators.isic_host import FILE, Answer, IsicHost, as_file, as_json
from tests.interfaces.cli.importing.instances import importing, instance

PICTURES = {f"ISIC_{number:07}": jpeg(seed=number) for number in range(1, 7)}
FIRST, SECOND, THIRD = list(PICTURES)[:3]


@pytest.fixture(scope="module")
def home(tmp_path_factory, django_db_setup, django_db_blocker):
    with instance(tmp_path_factory.mktemp("home") / "data", django_db_blocker) as archive:
        yield archive


@pytest.fixture
def there():
    with IsicHost() as host:
        yield host


def test_pages_are_walked_and_what_the_host_says_is_applied_but_for_what_is_refused(home, there):
    images = there.holds(PICTURES, page=2, sex="male", age_approx=45)
    odd = images[FIRST]["metadata"]["clinical"]
    odd |= {"sex": "unclear", "anatom_site_1": "Nowhere", "hairy": True, "color_tint": "blue", "patient_id": "IP_1"}
    images[SECOND]["metadata"]["clinical"]["mel_thick_mm"] = "-3"
    there.holds({}, page=2)
    first, second, third = (list(images.values())[start : start + 2] for start in (0, 2, 4))
    there.on("/api/v2/images/", as_json({"results": first, "count": 6, "next": "/api/v2/images/page1/"}))
    # As an archive behind a proxy does: its inner name. It is asked for here all the same.
    after = "http://inner.example.org:8000/api/v2/images/page2/"
    there.on("/api/v2/images/page1/", as_json({"results": second, "count": None, "next": after}))
    there.on("/api/v2/images/page2/", as_json({"results": third, "count": None, "next": None}))

    outcome = home.bring("--host", there.site, code=1, cohort="Pages")
    assert outcome["counts"] == {"brought": 6}
    assert not outcome["complete"]
    lost = {(key, value["field"]) for key, image in outcome["by_id"].items() for value in image["values"]}
    assert lost == {(FIRST, "sex"), (FIRST, "anatom_site"), (SECOND, "mel_thick_mm")}
    origins = home.origins("Pages")
    said = origins[FIRST].accession.description
    assert said.structured["age_approx"] == 45
    assert "sex" not in said.structured
    assert said.structured["patient_id"] == f"IP_1@{there.site.removeprefix('http://')}"
    assert said.unstructured == {"origin_isic_id": FIRST, "hairy": "true", "color_tint": "blue"}
    # Nothing of what the host said is lost: it is kept as it was said.
    assert origins[FIRST].said["metadata"]["clinical"]["sex"] == "unclear"
    assert origins[SECOND].accession.description.structured["sex"] == "male"
    assert all(origin.described for origin in origins.values())
    assert {key: origin.accession.original.sha256 for key, origin in origins.items()} == {
        key: hashlib.sha256(data).hexdigest() for key, data in PICTURES.items()
    }


def test_every_image_has_its_verdict(home, there):
    images = there.holds(PICTURES)
    unknown, nobody, *_ = images.values()
    unknown["copyright_license"] = "all rights reserved"
    nobody["attribution"] = " "
    listed = [*images.values(), {"isic_id": "../../etc"}, "no image", images[THIRD]]
    there.on("/api/v2/images/", as_json({"results": listed, "count": 9, "next": None}))
    broken, gone, cut = list(PICTURES)[3:]
    there.on(FILE.format(broken), as_file(b"\xff\xd8 no picture"[:1] * len(PICTURES[broken])))
    there.on(FILE.format(gone), Answer(404))
    there.on(FILE.format(cut), as_file(PICTURES[cut], cut=10))
    outcome = home.bring("--host", there.site, "--tries", "2", code=1, cohort="Verdicts")
    told = {key: (image["outcome"], image["words"]) for key, image in outcome["by_id"].items()}
    assert told[FIRST][0] == told[SECOND][0] == "refused"
    assert "all rights reserved" in told[FIRST][1]
    assert "whom to name" in told[SECOND][1]
    assert told[THIRD] == ("brought", "")
    assert told[broken][0] == "refused"
    assert told[gone][0] == told[cut][0] == "failed_at_host"
    assert "404" in told[gone][1]
    assert len(told) == 8
    assert outcome["counts"] == {"brought": 1, "refused": 5, "failed_at_host": 2}

    # What was refused here is not fetched again, and what the host did not give is asked for again.
    there.asked.clear()
    there.on(FILE.format(cut), as_file(PICTURES[cut]))
    there.on(FILE.format(gone), as_file(PICTURES[gone]))
    again = home.bring("--host", there.site, "--tries", "2", code=1, cohort="Verdicts")
    assert again["counts"] == {"already_here": 1, "brought": 2, "refused": 5}
    assert "before" in again["by_id"][broken]["words"]
    assert FILE.format(broken) not in there.paths
    there.on(FILE.format(broken), as_file(PICTURES[broken]))
    mended = home.bring("--host", there.site, "--again", code=1, cohort="Verdicts")
    assert mended["by_id"][broken]["outcome"] == "brought"


def test_an_address_that_has_expired_is_asked_for_anew(home, there):
    images = there.holds({FIRST: PICTURES[FIRST]})
    there.on(FILE.format(FIRST), Answer(403))
    there.on("/fresh", as_file(PICTURES[FIRST]))
    anew = {**images[FIRST], "files": {"full": {"url": f"{there.site}/fresh", "size": len(PICTURES[FIRST])}}}
    there.on(f"/api/v2/images/{FIRST}/", as_json(anew))
    assert home.bring("--host", there.site, cohort="Expired")["counts"] == {"brought": 1}


def test_pages_that_go_round_end(home, there):
    images = there.holds({FIRST: PICTURES[FIRST]})

    def again(_):
        after = f"{there.site}/api/v2/images/?cursor={len(there.asked)}"
        return as_json({"results": list(images.values()), "count": 1, "next": after})

    there.on("/api/v2/images/", again)
    outcome = home.bring("--host", there.site, code=3, cohort="Round")
    assert "round" in outcome["stopped"]
    assert outcome["counts"] == {"brought": 1}
    assert len(there.asked) == 3


@pytest.mark.parametrize("body", [[], {}, {"results": 1}, {"results": [], "next": 7}, "words"])
def test_what_is_no_archive_is_told(home, there, body):
    there.on("/api/v2/images/", as_json(body))
    outcome = home.bring("--host", there.site, code=3, cohort="None")
    assert "ISIC" in outcome["stopped"]


def test_a_host_that_gives_nothing_more_is_left_alone(home, there):
    there.holds(PICTURES)
    for key in list(PICTURES)[1:]:
        there.on(FILE.format(key), Answer(503))
    outcome = home.bring("--host", there.site, "--tries", "1", code=3, cohort="Left")
    assert outcome["counts"] == {"brought": 1, "failed_at_host": 3, "not_reached": 2}
    assert len([path for path in there.paths if path.startswith("/content/")]) == 4


def test_what_is_erased_here_does_not_come_again(home, there):
    there.holds({FIRST: PICTURES[FIRST]}, patient_id="IP_0000007")
    outcome = home.bring("--host", there.site, cohort="Erased")
    assert outcome["counts"] == {"brought": 1}
    with home.inside():
        forget_origins_of([Accession.objects.get(cohort__name="Erased").pk])
    assert home.origins("Erased")[FIRST].said == {}
    again = home.bring("--host", there.site, code=1, cohort="Erased")
    assert "erased here" in again["by_id"][FIRST]["words"]


def test_a_run_that_is_killed_goes_on_where_it_was(home, there):
    """The fourth file never ends; the run is killed there. The next one asks for none of the first three again."""
    there.holds(PICTURES)
    reached, let_go = threading.Event(), threading.Event()
    fourth = list(PICTURES)[3]

    def never(request):
        reached.set()
        let_go.wait(60)
        return as_file(PICTURES[fourth], cut=0)

    there.on(FILE.format(fourth), never, as_file(PICTURES[fourth]))
    process = home.begin(*importing("--host", there.site, cohort="Killed"))
    assert reached.wait(120)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    let_go.set()
    there.asked.clear()
    outcome = home.bring("--host", there.site, cohort="Killed")
    assert outcome["counts"] == {"brought": 6}
    assert [path for path in there.paths if path.startswith("/content/")] == [
        FILE.format(key) for key in list(PICTURES)[3:]
    ]
    assert not list((home.data / "imports").glob("*/*"))


@pytest.mark.parametrize(
    "step", ["import.noted", "import.delivered", "receive.batch", "convert.rows", "describe.chunk"]
)
def test_a_run_that_is_cut_between_two_steps_goes_on(home, there, tmp_path, step):
    there.holds(PICTURES, sex="female")
    (tmp_path / "orders").write_text(f"1 abort {step} 1\n")
    process = home.begin(*importing("--host", there.site, cohort=f"Cut at {step}"), MEDTHECA_FAULT_STEPS=str(tmp_path))
    said = process.communicate(timeout=240)
    assert process.returncode == ABORTED, said
    there.asked.clear()
    outcome = home.bring("--host", there.site, cohort=f"Cut at {step}")
    assert sum(outcome["counts"].values()) == 6
    assert outcome["counts"].keys() <= {"brought", "already_here"}
    # All came in the first run; none is asked for a second time.
    assert there.paths == ["/api/v2/images/"]
    origins = home.origins(f"Cut at {step}")
    assert {key: origin.accession.original.sha256 for key, origin in origins.items()} == {
        key: hashlib.sha256(data).hexdigest() for key, data in PICTURES.items()
    }
    assert {origin.accession.description.structured.get("sex") for origin in origins.values()} == {"female"}
    assert {origin.accession.licence for origin in origins.values()} == {"CC-BY-4.0"}
    assert home.accessions(cohort__name=f"Cut at {step}") == 6


def test_two_runs_at_once_do_not_bring_the_same(home, there):
    there.holds(PICTURES)
    reached, let_go = threading.Event(), threading.Event()

    def slow(request):
        reached.set()
        let_go.wait(60)
        return as_file(PICTURES[FIRST])

    there.on(FILE.format(FIRST), slow)
    first = home.begin(*importing("--host", there.site, cohort="Twice"))
    assert reached.wait(120)
    home.run(*importing("--host", there.site, cohort="Twice"), code=2)
    assert "Another run" in home.said
    let_go.set()
    said = first.communicate(timeout=240)
    assert first.returncode == 0, said
    assert "6 brought" in said[0]
