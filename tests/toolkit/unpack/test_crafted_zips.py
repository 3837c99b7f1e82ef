"""Every crafted ZIP ends as its case says, and no honest member suffers for a bad one."""

import io
import zipfile

import pytest

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.unpack import Kind, open_member, scan
from tests.generators.zip_cases import CASES, Case
from tests.generators.zips import PICTURE, overlapping_quotes


def read(file, member):
    return b"".join(open_member(file, member))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_crafted_zip_ends_as_it_should(case: Case):
    file = io.BytesIO(case.build())
    if case.refusal:
        with pytest.raises(Refused) as refused:
            scan(file, case.limits)
        assert refused.value.code == case.refusal
        assert refused.value.message.endswith(".")
        assert refused.value.remedy
        return
    members = scan(file, case.limits).members
    assert [(m.kind, m.problem and m.problem.code) for m in members] == list(case.verdicts)
    for member in members:
        expected = case.opening.get(member.ordinal) or (member.problem and member.problem.code)
        if expected:
            with pytest.raises(Refused) as refused:
                read(file, member)
            assert refused.value.code == expected
            if member.kind not in (Kind.DIRECTORY, Kind.JUNK):
                assert refused.value.remedy
        elif member.size_declared == len(PICTURE):
            assert read(file, member) in (PICTURE, PICTURE[::-1])
        else:
            assert len(read(file, member)) == member.size_declared


def test_there_are_at_least_forty_tricks_with_names_of_their_own():
    bad = {case.name for case in CASES if case.refusal or case.opening or any(code for _, code in case.verdicts)}
    assert len(bad) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


def test_quoted_overlap_is_the_real_bomb():
    """The construction must inflate in a naive reader, or refusing it would prove nothing."""
    archive = overlapping_quotes(layers=3, kernel=1000)
    with pytest.raises(Refused, match="share the same bytes"):
        scan(io.BytesIO(archive))
    with zipfile.ZipFile(io.BytesIO(archive)) as naive:
        sizes = [info.file_size for info in naive.infolist()]
        assert len(naive.read("002.png")) == 1000
    assert sizes[0] > sizes[1] > sizes[2] == 1000


@pytest.mark.parametrize(
    ("name", "path", "file_name"),
    [
        ("bytes of cp437", "Müller.jpg", "Müller.jpg"),
        ("UTF-8 without its flag", "左.jpg", "左.jpg"),
        ("flag on bytes that are not UTF-8", "Müller.jpg", "Müller.jpg"),
        ("Unicode path field", "左右.jpg", "左右.jpg"),
        ("Unicode path of another name", "a.jpg", "a.jpg"),
        ("backslashes of an old program", "P001\\left\\a.jpg", "a.jpg"),
        ("folder", "a/", "a"),
        ("slip", "../../etc/passwd.jpg", "passwd.jpg"),
    ],
)
def test_paths_are_kept_as_stored_and_names_are_their_last_part(name, path, file_name):
    case = next(case for case in CASES if case.name == name)
    member = scan(io.BytesIO(case.build())).members[0]
    assert (member.path, member.name) == (path, file_name)


def test_composed_and_decomposed_names_meet_and_cases_do_not():
    by_name = {case.name: case for case in CASES}
    first, second = scan(io.BytesIO(by_name["composed and decomposed"].build())).members
    assert first.path != second.path
    assert first.name == second.name
    first, second = scan(io.BytesIO(by_name["differing in case"].build())).members
    assert first.name != second.name


def test_prefix_is_reported():
    case = next(case for case in CASES if case.name == "self-extracting")
    assert scan(io.BytesIO(case.build())).prefix_bytes == 1001
