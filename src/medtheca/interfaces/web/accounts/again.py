"""Asking who is there once more before something that concerns the whole account."""

from __future__ import annotations

import functools
from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from medtheca.interfaces.web.errors import View


def ask_again(view: View) -> View:
    """A view whose changes need the password or a factor of the last ten minutes. Looking needs neither."""

    @functools.wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"}:
            raise_if_reauthentication_required(request, app="")
        return view(request, *args, **kwargs)

    return asked
