"""The data classes of the real `gcapi` beside the description of `/api/v1/`: it fails on a page with one key missing.

What is sent is what is described: tests of the interface hold every answer against the description.
"""

import json
from pathlib import Path

import pytest

from tests.contract.gcapi import VERSIONS

DESCRIPTION = Path(__file__).parents[2] / "docs" / "reference" / "openapi-v1.json"

FIELDS = """
from dataclasses import MISSING, fields
answer = {
    name: [
        [field.name, str(field.type), field.default is MISSING and field.default_factory is MISSING]
        for field in fields(getattr(gcapi.models, name))
    ]
    for name in given["names"] if hasattr(gcapi.models, name)
}
"""

# Theirs by ours, for all of which there are answers already.
SHAPES = {
    "Archive": "ArchiveOut",
    "ArchiveItem": "ItemOut",
    "ArchiveItemPost": "ItemPostOut",
    "HyperlinkedComponentInterfaceValue": "ValueOut",
    "ComponentInterfaceValuePost": "ValuePostOut",
    "ComponentInterface": "SocketOut",
    "LookUpTable": "LookUpTableOut",
    "WindowPreset": "WindowPresetOut",
    "HangingProtocol": "ProtocolOut",
    "HyperlinkedImage": "ImageOut",
    "ImageFile": "ImageFileOut",
    "ImagingModality": "ModalityOut",
    "RawImageUploadSession": "SessionOut",
    "UserUpload": "UploadOut",
    "UserUploadPresignedURLs": "PresignedUrlsOut",
    "UserUploadParts": "UploadPartsOut",
    "Part": "StoredPartOut",
    "WorkstationConfig": "WorkstationConfigOut",
    "GCAPIVersion": "ClientVersionsOut",
}
PLAIN = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
# A number of theirs may be a whole one of ours.
ALSO = {"number": {"integer"}}


def kinds(schema):
    """JSON types that a schema lets through; None for any."""
    if "anyOf" in schema:
        found = [kinds(one) for one in schema["anyOf"]]
        return None if None in found else set().union(*found)
    if "$ref" in schema:
        return {"object"}
    if "enum" in schema:
        return {{str: "string", type(None): "null", int: "integer"}[type(one)] for one in schema["enum"]}
    return {schema["type"]} if "type" in schema else None


def wanted(annotation):
    """JSON types that an annotation takes; None for any, or where it is not for us to say."""
    parts = [part.strip() for part in annotation.removeprefix("<class '").removesuffix("'>").split("|")]
    if any(part.partition("[")[0] not in {*PLAIN, "None", "list", "dict"} for part in parts):
        return None
    names = {"None": "null", "list": "array", "dict": "object"} | PLAIN
    found = {names[part.partition("[")[0]] for part in parts}
    return found | {more for one in found for more in ALSO.get(one, ())}


@pytest.fixture(scope="module")
def fields(gcapi_of):
    return gcapi_of("alice").run(FIELDS, names=list(SHAPES))


@pytest.mark.parametrize("name", SHAPES)
def test_every_key_that_it_needs_is_always_there_and_of_its_type(fields, gcapi_of, name):
    # Trap 5: null is no excuse for a key that is missing; a number for a text is none either.
    if name not in fields:
        assert gcapi_of("alice").version != VERSIONS[0], f"gcapi has no {name} any more"
        return
    shape = json.loads(DESCRIPTION.read_text())["components"]["schemas"][SHAPES[name]]
    for key, annotation, is_needed in fields[name]:
        if is_needed:
            assert key in shape["required"], f"{name}.{key} is needed"
        if key in shape["properties"]:
            taken, sent = wanted(annotation), kinds(shape["properties"][key])
            assert taken is None or (sent is not None and sent <= taken), f"{name}.{key}: {sent} for {annotation}"


ENUMS = """
answer = {
    name: [one.value for one in getattr(gcapi.models, name)]
    for name in ("ImageTypeEnum", "ColorSpaceEnum", "EyeChoiceEnum", "ColorInterpolationEnum")
}
"""


def test_no_word_is_sent_that_it_does_not_know(gcapi_of):
    # Trap 7: it fails on the page where one enumeration has a word that is new to it.
    known = gcapi_of("alice").run(ENUMS)
    shapes = json.loads(DESCRIPTION.read_text())["components"]["schemas"]
    for shape, key, enum in (
        ("ImageFileOut", "image_type", "ImageTypeEnum"),
        ("ImageOut", "color_space", "ColorSpaceEnum"),
        ("ImageOut", "eye_choice", "EyeChoiceEnum"),
        ("LookUpTableOut", "color_interpolation", "ColorInterpolationEnum"),
        ("LookUpTableOut", "color_interpolation_invert", "ColorInterpolationEnum"),
    ):
        schema = shapes[shape]["properties"][key]
        sent = [word for one in (schema, *schema.get("anyOf", ())) for word in one.get("enum", ())]
        assert sent, f"{shape}.{key} says not which words it has"
        assert set(sent) <= set(known[enum]), f"{shape}.{key}"
    # For these there is nothing to say so far; an empty text would be no answer.
    for key in ("stereoscopic_choice", "field_of_view", "dicom_image_set"):
        assert kinds(shapes["ImageOut"]["properties"][key]) == {"null"}


def test_most_of_what_it_knows_is_looked_at(fields):
    assert len(fields) >= len(SHAPES) - 2
    looked_at = [wanted(annotation) for rows in fields.values() for _, annotation, _ in rows]
    assert sum(one is not None for one in looked_at) > 0.7 * len(looked_at)
