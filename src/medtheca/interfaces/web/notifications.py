"""What a person was told, what of theirs is under way, and how they want to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Invalid, NotFound
from medtheca.domains.ledger.enums import Channel, MailState
from medtheca.domains.ledger.inbox import choose_channels, count_unread, mark_read, notifications_of, preferences_of
from medtheca.domains.ledger.kinds import KINDS, kind_of
from medtheca.interfaces.http.pagination import cut_page
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.under_way import work_of
from medtheca.workflows.unsubscribing import read_link, unsubscribe

_ROWS = 50
SECTIONS = tuple(dict.fromkeys(kind.section for kind in KINDS))
_ICONS = dict(zip(SECTIONS, ("cloud-upload", "globe", "library", "file-archive", "users", "key-round"), strict=True))


@login_required
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The latest first; unread ones or one section only where asked."""
    user = signed_in(request)
    section = request.GET.get("section", "")
    unread = request.GET.get("unread") == "1"
    if section and section not in SECTIONS:
        raise Invalid(f"{section} is no section of notifications.", remedy="Choose one on the page.")
    rows = notifications_of(user.pk, unread=unread, section=section)
    stretch = cut_page(rows, order=("at", "pk"), limit=_ROWS, cursor=request.GET.get("cursor"), descending=True)
    context = {
        "items": [_shown(row) for row in stretch.rows],
        "unread": count_unread(user.pk),
        "only_unread": unread,
        "section": section,
        "filters": [
            {"label": "All", "url": address(request, section=None, cursor=None), "here": not section},
            *(
                {"label": name, "url": address(request, section=name, cursor=None), "here": name == section}
                for name in SECTIONS
            ),
        ],
        "unread_url": address(request, unread=None if unread else "1", cursor=None),
        "here": request.get_full_path(),
        "next_url": address(request, cursor=stretch.next) if stretch.next else None,
        "previous_url": address(request, cursor=stretch.previous) if stretch.previous else None,
        "work": work_of(user),
    }
    return render(request, "pages/notifications.html", context)


@login_required
@require_safe
def notifications_under_way(request: HttpRequest) -> HttpResponse:
    """The part of the page that says what is being done, asked for again and again while something is."""
    return render(request, "pages/parts/under_way.html", {"work": work_of(signed_in(request))})


@login_required
@require_safe
def notification_open(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Go to what a notification is about, which reads it. Raises `NotFound` for another's."""
    user = signed_in(request)
    row = notifications_of(user.pk).filter(pk=notification_id).first()
    if row is None:
        raise NotFound("There is no such notification.")
    mark_read(recipient_id=user.pk, ids=[row.pk])
    return redirect(_own(request, row.url))


@login_required
@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark one as read or unread again, or all as read, and go back."""
    user = signed_in(request)
    one = request.POST.get("id", "")
    ids = [int(one)] if one.isdecimal() and len(one) < 19 else None
    if one and ids is None:
        raise Invalid("This is no number of a notification.")
    number = mark_read(recipient_id=user.pk, ids=ids, read=request.POST.get("unread") != "1")
    if ids is None:
        messages.success(request, "Nothing was unread." if not number else "All notifications are marked as read.")
    return redirect(_own(request, request.POST.get("back", "")))


@login_required
@require_safe
def notifications_bell(request: HttpRequest) -> HttpResponse:
    """The number at the bell; 204 while it is the one that is shown, so that nothing is announced anew."""
    number = count_unread(signed_in(request).pk)
    if request.GET.get("shown") == str(number):
        return HttpResponse(status=204)
    return render(request, "medtheca/bell_count.html", {"unread": number})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notification_preferences(request: HttpRequest) -> HttpResponse:
    """Each kind, and how it comes."""
    user = signed_in(request)
    chosen = {kind.name: channel.value for kind, channel in preferences_of(user.pk, staff=user.is_staff)}
    problems: dict[str, str] = {}
    if request.method == "POST":
        wanted = {name: request.POST[name] for name in chosen if name in request.POST}
        try:
            choose_channels(
                recipient_id=user.pk, channels={name: way for name, way in wanted.items() if way != chosen[name]}
            )
        except Invalid as refusal:
            problems = {problem.field: f"{problem.message} {problem.remedy}" for problem in refusal.problems}
            chosen |= wanted
        else:
            messages.success(request, "Your choices are kept.")
            return redirect("notification_preferences")
    return render(request, "pages/notification_preferences.html", _preferences(chosen, problems))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Stop mail without a log-in: one click in the mail program (RFC 8058), or a button here.

    Exempt from CSRF, because mail programs post without a page; the signed link is the proof, and looking at it
    changes nothing.
    """
    try:
        if request.method != "POST":
            link = read_link(token)
        else:
            link = unsubscribe(token=token, everything=request.POST.get("what") == "everything")
    except Invalid as refusal:
        return render(request, "pages/unsubscribe.html", {"refused": in_words(refusal)}, status=400)
    context = {"kinds": [kind.title for kind in link.kinds], "done": request.method == "POST"}
    return render(request, "pages/unsubscribe.html", context)


def _shown(row: Any) -> dict[str, Any]:
    kind = kind_of(row.kind)
    return {
        "id": row.pk,
        "title": kind.title,
        "icon": _ICONS.get(kind.section, "info"),
        "words": row.words,
        "times": row.times,
        "at": row.at,
        "unread": row.read_at is None,
        "url": reverse("notification_open", args=[row.pk]),
        "mail_failed": row.mail_state == MailState.GIVEN_UP,
    }


def _preferences(chosen: dict[str, str], problems: dict[str, str]) -> dict[str, Any]:
    sections = []
    for name in SECTIONS:
        kinds = [
            {
                "name": kind.name,
                "title": kind.title,
                "audience": kind.audience,
                "chosen": chosen[kind.name],
                "choices": [way for way in Channel.choices if not (kind.must and way[0] == Channel.NONE)],
                "problem": problems.get(kind.name, ""),
            }
            for kind in KINDS
            if kind.section == name and kind.name in chosen
        ]
        sections.append({"name": name, "kinds": kinds})
    return {"sections": sections, "problems": problems}


def _own(request: HttpRequest, url: str) -> str:
    """The address, if it is one of ours."""
    fine = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()})
    return url if fine else reverse("notifications")
