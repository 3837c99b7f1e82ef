"""Saved searches: the menu of the gallery, and a page of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.search.operations import (
    LONGEST_NAME,
    MOST_SAVED,
    change_saved_search,
    delete_saved_search,
    save_search,
)
from medtheca.domains.search.saved import fault_of, saved_search_for, saved_searches_of
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.searching import Search, gallery_url, read_search

if TYPE_CHECKING:
    from medtheca.domains.search.models import SavedSearch

_IN_MENU = 12


class NameForm(forms.Form):
    """What a search is called."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))


def saved_menu(search: Search) -> dict[str, Any] | None:
    """What the gallery's menu shows, with the name of the search that is open; None where nobody is signed in."""
    user = person(search.asker)
    if user is None:
        return None
    kept = saved_searches_of(user)
    rows = [{"name": one.name, "url": _url(one), "is_current": _is_open(one, search)} for one in kept]
    current = next((row["name"] for row in rows if row["is_current"]), "")
    can_be_saved = bool(search.text) and not current
    return {
        "rows": rows[:_IN_MENU],
        "more": max(0, len(rows) - _IN_MENU),
        "current": current,
        "save_url": f"{reverse('search_save')}?{search.query}" if can_be_saved else None,
        "longest": LONGEST_NAME,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest) -> HttpResponse:
    """Keep the search in the address under a name."""
    user, search = signed_in(request), read_search(request)
    form = NameForm(request.POST or None)
    if form.is_valid():
        try:
            made = save_search(
                user=user,
                name=form.cleaned_data["name"],
                query=search.text,
                oldest_first=not search.newest_first,
            )
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"The search was saved as {made.name}.")
            return redirect(_url(made))
    context = {
        "form": form,
        "heading": "Save a search",
        "lead": f"Saves {search.text or 'nothing yet'}. Only you see it; what it finds is looked for anew each time.",
        "action": "Save the search",
        "cancel_url": search.address(),
    }
    return render(request, "pages/form_page.html", context)


@login_required
@require_safe
def saved_searches(request: HttpRequest) -> HttpResponse:
    """All of a person's, each with what is wrong with it where it can be read no more."""
    rows = [
        {
            "id": one.pk,
            "name": one.name,
            "query": one.query,
            "oldest_first": one.oldest_first,
            "url": _url(one),
            "error": fault_of(one),
            "created": one.created,
        }
        for one in saved_searches_of(signed_in(request))
    ]
    return render(request, "pages/saved_searches.html", {"searches": rows, "most": MOST_SAVED})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, saved_id: int) -> HttpResponse:
    """Rename a saved search."""
    saved = saved_search_for(signed_in(request), saved_id)
    form = NameForm(request.POST or None, initial={"name": saved.name})
    if form.is_valid():
        try:
            changed = change_saved_search(saved=saved, name=form.cleaned_data["name"])
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"The search is called {changed.name} now.")
            return redirect("saved_searches")
    context = {
        "form": form,
        "heading": f"Rename {saved.name}",
        "lead": saved.query,
        "action": "Rename",
        "cancel_url": reverse("saved_searches"),
        "crumbs": [
            {"label": "Account", "url": reverse("account")},
            {"label": "Saved searches", "url": reverse("saved_searches")},
            {"label": "Rename", "url": None},
        ],
    }
    return render(request, "pages/form_page.html", context)


@login_required
@require_POST
def delete(request: HttpRequest, saved_id: int) -> HttpResponse:
    """Forget a saved search."""
    saved = saved_search_for(signed_in(request), saved_id)
    delete_saved_search(saved)
    messages.success(request, f"The saved search {saved.name} was deleted. The images are where they were.")
    return redirect("saved_searches")


def _is_open(one: SavedSearch, search: Search) -> bool:
    return (one.query, one.oldest_first) == (search.text, not search.newest_first)


def _url(one: SavedSearch) -> str:
    return gallery_url(one.query, newest_first=not one.oldest_first)
