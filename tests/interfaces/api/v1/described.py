"""Whether answers are what the committed description says, key by key: `gcapi` falls over the one that is missing."""

import functools
import json
import re
from pathlib import Path

import jsonschema

DESCRIPTION = Path(__file__).parents[4] / "docs" / "reference" / "openapi-v1.json"


@functools.cache
def _document():
    found = json.loads(DESCRIPTION.read_text())
    for schema in found["components"]["schemas"].values():
        # The description lets more keys through, as clients have to; here every key has to be described.
        schema.setdefault("additionalProperties", False)
    return found


@functools.cache
def _validator(path, method, status):
    answers = _document()["paths"][path][method]["responses"]
    schema = answers[str(status)]["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator({**schema, "components": _document()["components"]})


def assert_described(answer):
    """Fail where the JSON of an answer of `/api/v1/` has a key too many, one too few, or one of another type."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", answer.resolver_match.route).replace("\\Z", "")
    if path not in _document()["paths"]:
        assert path == "/api/v1/openapi.json", path
        return
    method = answer.wsgi_request.method.lower()
    problems = list(
        _validator(path, "get" if method == "head" else method, answer.status_code).iter_errors(answer.body)
    )
    assert not problems, f"{method} {path}: " + "; ".join(f"{one.json_path}: {one.message[:300]}" for one in problems)
