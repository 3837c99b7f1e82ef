"""Decoders of cases that files named so have taken over: they answer what no honest one would."""

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images import case_task, tasks

LIES = {
    b"kind": lambda report: report | {"kind": ["volume"]},
    b"orientation": lambda report: report | {"orientation": 10**9},
    b"icc": lambda report: report | {"icc": 7},
    b"geometry": lambda report: report | {"geometry": {"windows": "<script>"}},
    b"facts": lambda report: report | {"facts": {"stain": 5}},
}
DESCRIPTIONS = {
    b"nothing": lambda _: {},
    b"no series": lambda said: said | {"dicom": {}},
    b"nowhere": lambda said: said | {"dicom": said["dicom"] | {"position": [1e308, "x", None]}},
    b"mixed": lambda said: said | {"dicom": said["dicom"] | {"keys": {"instance": ["a"]}}},
    b"others": lambda said: said | {"companions": ["../../secret"], "format": "mha"},
    b"problem": lambda said: said | {"problem": {"code": "x" * 64, "message": "", "why": 1}},
}
REFUSALS = {
    b"long": Refused("x" * 60, "Words.", ""),
    b"wordless": Refused("corrupt", " \n", ""),
}


def _lie(data):
    head = bytes(data)[:128]
    return head.removeprefix(b"lie: ").rstrip(b"\0") if head.startswith(b"lie: ") else b""


def describe(data, options):
    """As the honest one, unless the file's preamble names a lie."""
    lie = _lie(data)
    if options.get("describe") and lie in DESCRIPTIONS:
        said, parts = tasks.run(data, options)
        return DESCRIPTIONS[lie](said), parts
    return tasks.run(data, options)


def run(folder, outputs, options, progress):
    """As the honest one, unless the file's preamble names a lie."""
    lie = _lie((folder / options["main"]).read_bytes())
    if lie in REFUSALS:
        raise REFUSALS[lie]
    if lie == b"quote":
        raise Refused("missing_file", "Canary^Mary is missing.", "")
    report = case_task.run(folder, outputs, options, progress)
    return LIES[lie](report) if lie in LIES else report


def warm_up():
    """Both."""
    tasks.warm_up()
    case_task.warm_up()
