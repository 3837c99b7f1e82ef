"""Refusals as bodies: one superset of RFC 9457 and of what clients of the ISIC Archive read.

`detail` is where the two disagree. ISIC's clients know it as `Unauthorized`, `Not Found`, or, with status 422, as a
list; so there it is that, and the sentence for the person stands in `message` everywhere, and in `error`, where
ISIC's own refusals have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from medtheca.base.errors import Problem
from medtheca.interfaces.http.request_ids import note_refusal, support_of

MEDIA_TYPE = "application/problem+json"
_DETAIL_OF_ISIC = {401: "Unauthorized", 404: "Not Found"}


def problem_response(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    message: str,
    remedy: str = "",
    problems: Iterable[Problem] = (),
    detail: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """An answer that says what is wrong: `code` for programs, `message` and `remedy` for people.

    `problems` names each field; `detail` replaces the text of that name where clients expect a list; `more` are members
    that this kind of problem has beside. Never cached.
    """
    if status != 500:  # A fault of ours is in the log with its traceback.
        note_refusal(request, status)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail if detail is not None else _DETAIL_OF_ISIC.get(status, message),
        "instance": request.path,
        "code": code,
        "message": message,
        "error": message,
        "remedy": remedy,
        "errors": [
            {"field": problem.field, "message": problem.message, "code": problem.code, "remedy": problem.remedy}
            for problem in problems
        ],
        **support_of(request),
        **(more or {}),
    }
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type=MEDIA_TYPE,
        headers={**(headers or {}), "Cache-Control": "no-store"},
    )
