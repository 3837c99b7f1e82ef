"""Small seeded deliveries: ZIPs of tiny pictures and cases, with junk and damage; and what is to come of each file."""

import hashlib
import io
import random
import zipfile
from dataclasses import dataclass

from PIL import Image as Picture

from tests.faults.harness.cases import case_files


@dataclass(frozen=True)
class Member:
    """A file of a delivery. `fate` is good, junk or bad; whether a good one is a duplicate depends on the others.

    Where it is one of several of an image, `case` and `inner` are those of `cases.CaseFile`.
    """

    path: str
    data: bytes
    fate: str
    case: str = ""
    inner: str = ""

    def facts(self):
        told = {"path": self.path, "sha256": hashlib.sha256(self.data).hexdigest(), "fate": self.fate}
        return told | ({"case": self.case, "inner": self.inner, "size": len(self.data)} if self.case else {})


@dataclass(frozen=True)
class Package:
    """What a client sends: a name, bytes, and the files in them; none where the whole cannot be read."""

    filename: str
    data: bytes
    members: list
    container: str

    @property
    def has_cases(self):
        """Whether some of its files belong together."""
        return any(member.case for member in self.members)

    @property
    def has_flat_slide(self):
        """Whether a case is among the files that are decoded together with pictures."""
        return any(member.path.endswith(".svs") for member in self.members)

    def facts(self):
        return {
            "filename": self.filename,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "container": self.container,
            "members": [member.facts() for member in self.members],
        }


def picture(seed, kind="JPEG"):
    """A tiny picture that no other seed gives."""
    rng = random.Random(f"picture {seed}")
    size = (rng.randint(8, 24), rng.randint(8, 24))
    data = io.BytesIO()
    Picture.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1])).save(data, kind)
    return data.getvalue()


def package(seed, number):
    """The delivery of this number. Names of `shared/` come in other deliveries too."""
    rng = random.Random(f"{seed} {number}")
    kind = rng.random()
    if kind < 0.06:
        member = Member(f"single-{number}.jpg", picture(f"{seed} {number}"), "good")
        return Package(member.path, member.data, [member], "single")
    if kind < 0.10:
        return Package(f"torn-{number}.zip", b"PK\x03\x04" + rng.randbytes(200), [], "unreadable")
    members = _members(rng, f"{seed} {number}", number)
    if kind < 0.25:
        # A few pictures stay beside the cases.
        files = case_files(rng, seed, number)
        members = [
            *members[: rng.randint(1, 4)],
            *(Member(file.path, file.data, file.fate, file.case, file.inner) for file in files),
        ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member in members:
            archive.writestr(zipfile.ZipInfo(member.path), member.data)
    return Package(f"images-{number}.zip", packed.getvalue(), members, "zip")


def _members(rng, seed, number):
    members = []
    for index in range(rng.randint(4, 14)):
        data = picture(f"{seed} {index}", rng.choice(["JPEG", "JPEG", "PNG"]))
        members.append(Member(f"d{number}/{number}-{index}{_suffix(data)}", data, "good"))
    first = members[0]
    odd = [
        Member(f"d{number}/copy-{number}{_suffix(first.data)}", first.data, "good"),
        Member(f"e{number}/{first.path.split('/')[1]}", picture(f"{seed} other"), "good"),
        Member(f"shared/common-{rng.randrange(6)}.jpg", picture(f"{seed} common"), "good"),
        Member("common/same.jpg", picture("the same everywhere"), "good"),
        Member(f"d{number}/cut-{number}.jpg", picture(f"{seed} cut")[:-40], "bad"),
        Member(f"d{number}/words-{number}.jpg", b"These are words and no picture.", "bad"),
        Member("__MACOSX/._x.jpg", b"\0\5\x16\7" + b"\0" * 40, "junk"),
        Member(f"d{number}/.DS_Store", b"Bud1" + b"\0" * 20, "junk"),
    ]
    members += rng.sample(odd, rng.randint(2, len(odd)))
    return members


def _suffix(data):
    return ".png" if data.startswith(b"\x89PNG") else ".jpg"
