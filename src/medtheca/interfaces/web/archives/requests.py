"""Requests to see an archive: the form for who asks, the list for its editors, and one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.accounts.verifying import verified_among
from medtheca.domains.archives import requests, terms
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.enums import AccessHandling, RequestState
from medtheca.domains.archives.requests import Asking
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.frame import frame, open_archive
from medtheca.interfaces.web.archives.people_forms import RequestForm, TermsForm, end_on
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.markdown import to_html

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import AccessRequest, Archive

_A_PAGE = 50
_TERMS = {"a": "text-link breakable", "ul": "grid list-disc gap-2 pl-5", "ol": "grid list-decimal gap-2 pl-5"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_request(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask to see an archive, read how far one's request is, or accept a data-use text that has changed."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    situation = requests.situation_of(user, archive)
    given = request.POST if request.method == "POST" else None
    form: RequestForm | TermsForm | None = None
    if situation.asking is Asking.ASK:
        form = RequestForm(given, archive=archive)
    elif situation.asking is Asking.ACCEPT_TERMS:
        form = TermsForm(given, archive=archive)
    if request.method == "POST":
        if request.POST.get("action") == "withdraw":
            requests.withdraw_request(archive=archive, user=user)
            messages.success(request, "Your request was withdrawn.")
            return redirect("archive_request", archive.slug)
        if form is not None and form.is_valid():
            try:
                _send(archive, user, form)
            except (Conflict, Invalid) as refusal:
                show_refusal(form, refusal, accepted_version="ACCEPT")
                if "VERSION" in form.fields:
                    # The next time they accept what they are shown now.
                    archive.refresh_from_db()
                    form.data = {**request.POST.dict(), "VERSION": archive.terms_version, "ACCEPT": ""}
            else:
                now_in = requests.situation_of(user, archive).asking is Asking.IN
                words = f"You are in the archive {archive.title}." if now_in else "Your request is with the editors."
                messages.success(request, words)
                return redirect("archive" if now_in else "archive_request", archive.slug)
        elif form is None:
            return redirect("archive_request", archive.slug)
    context = {
        **frame(archive, standing, "archive_request"),
        "form": form,
        "asking": situation.asking.value,
        "asked": situation.request,
        "again": situation.again,
        "verifies_in": situation.verifies_in,
        "by_verification": archive.access_requests == AccessHandling.ACCEPT_VERIFIED_USERS,
        "terms": to_html(archive.terms, classes=_TERMS) if archive.terms else "",
        "email": user.email,
    }
    return render(request, "pages/archives/request.html", context)


def _send(archive: Archive, user: User, form: RequestForm | TermsForm) -> None:
    version = form.cleaned_data.get("VERSION")
    if isinstance(form, TermsForm):
        terms.accept_terms(archive=archive, user=user, version=version or 0)
    else:
        requests.ask_to_see(archive=archive, user=user, answers=form.answers(), accepted_version=version)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_requests(request: HttpRequest, slug: str) -> HttpResponse:
    """Requests to see an archive, for its editors to decide, one or many at a time."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_editor(user, archive, to="see its requests")
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _decide(request, archive, user))
            return redirect(request.get_full_path())
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
    state = request.GET.get("state", RequestState.PENDING.value)
    rows = requests.requests_of(archive, asker=user, state=state)
    page = slice_of(request, rows, size=_A_PAGE)
    verified = verified_among([row.user_id for row in page.rows])
    labels = {question["name"]: question["label"] for question in archive.request_form}
    chosen, total = set(request.POST.getlist("request") if error else ()), len(page.rows)
    context = {
        **frame(archive, standing, "archive_requests"),
        "state": state,
        "states": [
            {"label": one.label, "url": address(request, state=one.value, page=None), "current": one.value == state}
            for one in RequestState
        ],
        "requests": [
            _row(row, labels, verified=row.user_id in verified) | {"chosen": str(row.pk) in chosen or total == 1}
            for row in page.rows
        ],
        "handling": AccessHandling(archive.access_requests).label,
        "accepted": terms.acceptances_of(archive, asker=user).filter(version=archive.terms_version).count()
        if archive.terms
        else 0,
        # What was refused stays as it was sent.
        "reason": request.POST.get("reason", "") if error else "",
        "until": request.POST.get("until", "") if error else "",
        "error": error,
        **page.links(),
    }
    return render(request, "pages/archives/requests.html", context, status=409 if error else 200)


def _decide(request: HttpRequest, archive: Archive, user: User) -> str:
    action = request.POST.get("action", "")
    if action == "hold":
        held = terms.hold_until_accepted(archive=archive, editor=user)
        return f"{held:,} users see nothing until they accept the data-use text. Each was told."
    if action not in {"accept", "reject"}:
        raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")
    chosen = [int(text) for text in request.POST.getlist("request") if text.isascii() and text.isdecimal()][:2000]
    done = requests.decide(
        archive=archive,
        editor=user,
        request_ids=[pk for pk in chosen if pk < 2**63],
        accept=action == "accept",
        reason=request.POST.get("reason", ""),
        until=end_on(request.POST.get("until", "")) if action == "accept" else None,
    )
    people = "1 request was" if done == 1 else f"{done:,} requests were"
    return f"{people} {'accepted' if action == 'accept' else 'rejected'}. Whoever asked is told."


def _row(row: AccessRequest, labels: dict[str, str], *, verified: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.user.full_name,
        "email": row.user.email,
        "affiliation": row.user.affiliation,
        "orcid": row.user.orcid,
        "verified": verified,
        "state": row.state,
        "asked": row.asked,
        "answers": [{"question": labels.get(name, name), "answer": text} for name, text in row.answers.items()],
        "terms_version": row.terms_version,
        "decided": row.decided,
        "decided_by": row.decided_by.full_name if row.decided_by else "",
        "reason": row.reason,
        "acceptable": row.state != RequestState.ACCEPTED,
    }


@login_required
@require_safe
def archive_requests_own(request: HttpRequest) -> HttpResponse:
    """What one has asked to see, and what became of it."""
    page = slice_of(request, requests.requests_by(signed_in(request)), size=_A_PAGE)
    return render(request, "pages/archives/own_requests.html", {"requests": page.rows, **page.links()})
