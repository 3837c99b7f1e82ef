"""With whom a collection is shared."""

from __future__ import annotations

import contextlib

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.access.groups import groups_for
from medtheca.domains.collections.access import require_owner
from medtheca.domains.collections.queries import collection_for, count_not_shared
from medtheca.domains.collections.sharing import people_to_share_with, revoke, share, shares_of
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.collecting.forms import ShareForm
from medtheca.interfaces.web.people import signed_in

_MOST_GROUPS = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def collection_people(request: HttpRequest, collection_id: int) -> HttpResponse:
    """Share a collection with people and groups, and take that back. Its owner and staff."""
    user = signed_in(request)
    found = collection_for(user, collection_id)
    require_owner(user, found, to="share it")
    if request.POST.get("action") == "revoke":
        # Where somebody else was faster, it is as it was asked for.
        with contextlib.suppress(NotFound):
            revoke(collection=found, actor=user, user_ids=_ids(request, "user"), group_ids=_ids(request, "group"))
        messages.success(request, "It is shared with them no longer. What only it showed is closed within a minute.")
        return redirect("collection_people", found.pk)
    form = ShareForm(request.POST or None, groups=groups_for(user)[:_MOST_GROUPS])
    if form.is_valid():
        try:
            people = people_to_share_with(user, user_ids=[], emails=form.addresses())
            groups = form.cleaned_data.get("group_ids", [])
            editors = form.cleaned_data["editors"] and bool(people)
            if people and groups and editors:
                share(collection=found, actor=user, users=people, as_editors=True)
                share(collection=found, actor=user, group_ids=groups)
            else:
                share(collection=found, actor=user, users=people, group_ids=groups, as_editors=editors)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal, user_ids="emails")
        else:
            messages.success(request, "The collection is shared.")
            return redirect("collection_people", found.pk)
    context = {
        "collection": found,
        "form": form,
        "not_shared": 0 if found.public else count_not_shared(found),
        "shares": [
            {
                "name": one.name,
                "email": one.user.email if one.user else "",
                "user": one.user.pk if one.user else "",
                "group": one.group.pk if one.group else "",
                "edits": one.edits,
                "since": one.since,
            }
            for one in shares_of(found)
        ],
    }
    return render(request, "pages/collections/people.html", context)


def _ids(request: HttpRequest, field: str) -> list[int]:
    given = request.POST.get(field, "")
    return [int(given)] if given.isascii() and given.isdecimal() and len(given) < 19 else []
