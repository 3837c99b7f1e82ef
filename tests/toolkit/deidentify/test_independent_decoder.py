"""A decoder written apart from libjpeg, in another language, sees the same pixels in original and public copy.

Pillow and simplejpeg both stand on libjpeg-turbo; jpeg-js shares nothing with it. It needs Node, and `npm ci`
in `frontend`.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from medtheca.toolkit.deidentify.jpeg import strip_jpeg
from tests.generators import images as make

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
PROGRAM = """
const jpeg = require("jpeg-js"), crypto = require("crypto"), fs = require("fs");
const found = {};
for (const name of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const picture = jpeg.decode(fs.readFileSync(name), { useTArray: true, formatAsRGBA: true, tolerantDecoding: false });
  found[name] = [picture.width, picture.height, crypto.createHash("sha256").update(picture.data).digest("hex")];
}
console.log(JSON.stringify(found));
"""


def missing():
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (FRONTEND / "node_modules" / "jpeg-js").is_dir():
        return "jpeg-js is not installed; run npm ci in frontend"
    return ""


def decode(paths):
    """Width, height and SHA-256 of the pixels of each file, by jpeg-js."""
    done = subprocess.run(
        ["node", "-e", PROGRAM], cwd=FRONTEND, input=json.dumps(paths), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_an_independent_decoder_sees_the_same_pixels(tmp_path):
    if reason := missing():
        (pytest.fail if os.environ.get("MEDTHECA_CI") == "1" else pytest.skip)(reason)
    pairs = {}
    for number, (kind, data) in enumerate(sorted(make.jpegs().items())):
        before, after = tmp_path / f"{number}-original.jpg", tmp_path / f"{number}-public.jpg"
        before.write_bytes(data)
        after.write_bytes(bytes(strip_jpeg(data).data))
        pairs[kind] = (str(before), str(after))
    seen = decode([path for pair in pairs.values() for path in pair])
    assert {kind: seen[after] for kind, (_, after) in pairs.items()} == {
        kind: seen[before] for kind, (before, _) in pairs.items()
    }
    # A decoder that gave the same grey for everything would prove nothing.
    assert len({tuple(value) for value in seen.values()}) > len(pairs) / 3
