"""Pages for those who build applications, and for those for whom applications act."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from medtheca.base.errors import DomainError
from medtheca.domains.accounts.applications import (
    MOST_APPLICATIONS,
    application_of,
    applications_of,
    change_application,
    delete_application,
    kind_of,
    register_application,
    rotate_secret,
)
from medtheca.domains.accounts.connections import connections_of, disconnect
from medtheca.domains.accounts.scopes import words_of
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.oauth.forms import ApplicationForm, DeleteApplicationForm
from medtheca.interfaces.web.people import signed_in

_KIND_WORDS = {
    "web": "Website or server with a secret",
    "public": "Program in people's hands, without a secret",
    "service": "Program by itself, with a secret",
}


@never_cache
@login_required
@require_GET
def applications(request: HttpRequest) -> HttpResponse:
    """The person's own applications."""
    rows = [{"row": row, "kind": _KIND_WORDS[kind_of(row)]} for row in applications_of(signed_in(request))]
    return render(request, "pages/applications.html", {"applications": rows, "most": MOST_APPLICATIONS})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def application_register(request: HttpRequest) -> HttpResponse:
    """A new application, whose secret stands in this one answer and nowhere else.

    No redirect after the POST: the secret would have to wait in the session, which is a table.
    """
    form = ApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = register_application(user=signed_in(request), given=form.registration())
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            return _show(request, made.pk, secret=secret, done="was registered")
    return render(request, "pages/application_new.html", {"form": form})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def application(request: HttpRequest, application_id: int) -> HttpResponse:
    """One of them: how it is known, what may be changed."""
    user = signed_in(request)
    found = application_of(user, application_id)
    if request.method == "GET":
        return _show(request, found.pk)
    form = ApplicationForm(request.POST, kind=kind_of(found))
    if form.is_valid():
        try:
            change_application(user=user, application_id=found.pk, given=form.registration())
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The application was saved.")
            return redirect("oauth:detail", found.pk)
    return _show(request, found.pk, form=form)


@never_cache
@login_required
@require_POST
def application_secret(request: HttpRequest, application_id: int) -> HttpResponse:
    """A new secret in place of the old one, shown in this one answer."""
    changed, secret = rotate_secret(user=signed_in(request), application_id=application_id)
    return _show(request, changed.pk, secret=secret, done="has a new secret; the old one opens nothing any more")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def application_delete(request: HttpRequest, application_id: int) -> HttpResponse:
    """Delete an application, and end its tokens."""
    user = signed_in(request)
    found = application_of(user, application_id)
    form = DeleteApplicationForm(request.POST or None, name=found.name)
    if request.method == "POST" and form.is_valid():
        name = delete_application(user=user, application_id=found.pk)
        messages.success(request, f"The application {name} was deleted. Its tokens open nothing any more.")
        return redirect("oauth:list")
    return render(request, "pages/application_delete.html", {"form": form, "application": found})


@never_cache
@login_required
@require_GET
def connections(request: HttpRequest) -> HttpResponse:
    """Applications that act for the person."""
    rows = [{"row": row, "may": words_of(row.scopes.split())} for row in connections_of(signed_in(request))]
    return render(request, "pages/connections.html", {"connections": rows})


@login_required
@require_POST
def connection_end(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Let an application act no more."""
    name = disconnect(user=signed_in(request), connection_id=connection_id)
    messages.success(request, f"{name} is disconnected. To act for you again it has to ask.")
    return redirect("connections")


def _show(
    request: HttpRequest, application_id: int, *, secret: str = "", done: str = "", form: ApplicationForm | None = None
) -> HttpResponse:
    found = application_of(signed_in(request), application_id)
    kind = kind_of(found)
    typed = {"name": found.name, "redirect_uris": "\n".join(found.redirect_uris.split())}
    context = {
        "application": found,
        "kind": kind.value,
        "kind_words": _KIND_WORDS[kind],
        "form": form or ApplicationForm(initial=typed, kind=kind),
        "secret": secret,
        "done": done,
    }
    return render(request, "pages/application.html", context)
