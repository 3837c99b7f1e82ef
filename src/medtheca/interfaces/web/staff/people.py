"""People, for the staff: find a user, disable or enable them; who reviews what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.accounts.queries import find_users, user_numbered
from medtheca.domains.provenance.people import circles_of, kind_of, name_of, reviewers_named
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.staff.forms import FindPersonForm
from medtheca.interfaces.web.staff.tools import staff_user
from medtheca.toolkit.countries import countries

if TYPE_CHECKING:
    from medtheca.domains.provenance.people import Thing


@login_required
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Users by name or address, and who reviews what."""
    staff_user(request)
    form = FindPersonForm(request.GET or None, initial={"q": ""})
    words = request.GET.get("q", "").strip()[:254]
    found = slice_of(request, find_users(words), size=50)
    context = {
        "form": form,
        "q": words,
        "users": [_row(user) for user in found.rows],
        "reviewers": [{"user": user, "url": _url(user.pk), **_thing(thing)} for user, thing in reviewers_named()],
        "crumbs": [{"label": "Staff tools", "url": reverse("staff")}, {"label": "People", "url": None}],
        **found.links(),
    }
    return render(request, "pages/staff/people.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One user, where they belong, and whether they can log in."""
    staff = staff_user(request)
    found = user_numbered(user_id)
    if request.method == "POST":
        if found.pk == staff.pk:
            raise Conflict("You cannot disable yourself.", remedy="Ask another of the staff.")
        active = request.POST.get("active") == "yes"
        set_active(user=found, active=active, actor_id=staff.pk)
        words = "can log in again" if active else "is disabled: sessions and tokens have ended"
        messages.success(request, f"{found.full_name} {words}.")
        return redirect("staff_person", found.pk)
    context = {
        "person": _row(found)
        | {
            "joined": found.created,
            "hash_id": found.hash_id,
            "last_login": found.last_login,
            "affiliation": found.affiliation,
            "orcid": found.orcid,
            "country": countries().get(found.country, found.country),
        },
        "is_you": found.pk == staff.pk,
        "circles": [{"role": role.label, **_thing(thing)} for thing, role in circles_of(found)],
        "crumbs": [
            {"label": "Staff tools", "url": reverse("staff")},
            {"label": "People", "url": reverse("staff_people")},
            {"label": found.full_name, "url": None},
        ],
    }
    return render(request, "pages/staff/person.html", context)


def _row(user: Any) -> dict[str, Any]:
    return {
        "id": user.pk,
        "name": user.full_name,
        "email": user.email,
        "is_staff": user.is_staff,
        "active": user.is_active,
        "url": _url(user.pk),
    }


def _url(user_id: int) -> str:
    return reverse("staff_person", args=[user_id])


def _thing(thing: Thing) -> dict[str, Any]:
    kind = kind_of(thing)
    return {
        "what": kind.capitalize(),
        "thing": name_of(thing),
        "thing_url": reverse(kind, args=[thing.pk]),
        "people_url": reverse(f"{kind}_people", args=[thing.pk]),
    }
