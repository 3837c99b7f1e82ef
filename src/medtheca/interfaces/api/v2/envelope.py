"""What every answer of this API has around it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from medtheca.interfaces.api.v2.errors import no_such_address, wrong_method
from medtheca.interfaces.http.enveloping import Envelope
from medtheca.interfaces.http.problems import problem_response


def _unreadable(request: HttpRequest, message: str) -> HttpResponse:
    return problem_response(request, status=400, code="unreadable_request", message=message)


envelope = Envelope(no_such_address=no_such_address, wrong_method=wrong_method, unreadable=_unreadable)
