"""Named groups: the person's own, one with its people, joining and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.groups import (
    accept_into_group,
    change_member,
    count_groups,
    create_group,
    group_for,
    groups_for,
    may_run,
    members_of,
    name_among_members,
    remove_from_group,
    rename_group,
    revoke_invitation,
)
from medtheca.domains.access.invitations import (
    OtherAddress,
    invitation_of_secret,
    invitations_of,
    is_for,
)
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.publish_forms import GroupForm, GroupInviteForm
from medtheca.workflows.grouping import invite, remove_group

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope
    from medtheca.domains.accounts.models import User

_MOST_LISTED = 500


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """The person's groups, and a form for another."""
    user = signed_in(request)
    form = GroupForm(request.POST or None)
    if form.is_valid():
        try:
            made = create_group(creator=user, name=form.cleaned_data["name"])
        except (Conflict, Invalid, NotAllowed) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{made.name} is there. Invite people to it.")
            return redirect("group", made.pk)
    rows = list(groups_for(user)[:_MOST_LISTED])
    counts = count_groups(rows)
    context = {
        "form": form,
        "groups": [
            {
                "name": row.name,
                "url": reverse("group", args=[row.pk]),
                "members": counts[row.pk].members,
                "images": counts[row.pk].images,
                "runs": may_run(user, row),
            }
            for row in rows
        ],
    }
    return render(request, "pages/groups.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """One group for its people; its owners change it here by the buttons' `action`."""
    user = signed_in(request)
    found = group_for(user, group_id)
    inviting = request.POST.get("action") == "invite"
    form = GroupInviteForm(request.POST if inviting else None)
    error = ""
    if request.method == "POST":
        try:
            if not inviting or form.is_valid():
                done = _act(request, found, user, form)
                messages.success(request, done)
                gone = request.POST.get("action") in {"leave", "delete"}
                return redirect("groups") if gone else redirect("group", found.pk)
        except (Conflict, Invalid) as refusal:
            if inviting:
                show_refusal(form, refusal)
            else:
                error = in_words(refusal)
    counts = count_groups([found])[found.pk]
    runs = may_run(user, found)
    context = {
        "group": {"id": found.pk, "name": found.name, "images": counts.images, "members": counts.members},
        "members": [_member(row, user, runs=runs) for row in members_of(found)],
        "invitations": [_invitation(row) for row in invitations_of(found)] if runs else [],
        "runs": runs,
        "form": form,
        "error": error,
    }
    return render(request, "pages/group.html", context, status=409 if error else 200)


def _act(request: HttpRequest, found: Scope, user: User, form: GroupInviteForm) -> str:
    action = request.POST.get("action", "")
    if action == "invite":
        invite(group=found, actor=user, email=form.cleaned_data["email"], role=form.cleaned_data["role"])
        return f"An invitation is on its way to {form.cleaned_data['email']}. It can be accepted for 14 days."
    if action == "rename":
        rename_group(group=found, actor=user, name=request.POST.get("name", ""))
        return "The group has its new name."
    if action == "role":
        change_member(group=found, actor=user, user_id=_number(request, "user"), role=request.POST.get("role", ""))
        return "The role was changed."
    if action in {"remove", "leave"}:
        remove_from_group(group=found, actor=user, user_id=user.pk if action == "leave" else _number(request, "user"))
        return f"You have left {found.name}." if action == "leave" else "The person was removed."
    if action == "revoke":
        revoke_invitation(group=found, actor=user, invitation_id=_number(request, "invitation"))
        return "The invitation was revoked."
    if action == "delete":
        remove_group(group=found, actor=user)
        return f"{found.name} was deleted."
    raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")


@require_http_methods(["GET", "HEAD", "POST"])
def group_join(request: HttpRequest, secret: str) -> HttpResponse:
    """An invitation into a group, for whoever has its link: to accept, after a log-in or sign-up."""
    found = invitation_of_secret(secret)
    if found.scope.kind != ScopeKind.GROUP:
        raise NotFound("There is no such invitation, or it is over.")
    error = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            accept_into_group(secret=secret, user=request.user, with_other_address=request.POST.get("other") == "yes")
        except OtherAddress as refusal:
            error = in_words(refusal)
        else:
            messages.success(request, f"You now belong to {found.scope.name}.")
            return redirect("group", found.scope_id)
    context = {
        "name": found.scope.name,
        "role": "owner" if found.role == Role.OWNER else "viewer",
        "by": found.by.full_name,
        "email": found.email,
        "expires": found.expires,
        "is_yours": request.user.is_authenticated and is_for(found, request.user),
        "login_url": f"{reverse('account_login')}?next={request.path}",
        "signup_url": f"{reverse('account_signup')}?next={request.path}",
        "error": error,
    }
    response = render(request, "pages/group_join.html", context, status=409 if error else 200)
    # Keeps the secret out of every Referer. "no-referrer" would hide the form's origin as well, and have it refused.
    response["Referrer-Policy"] = "strict-origin"
    add_never_cache_headers(response)
    return response


def _number(request: HttpRequest, field: str) -> int:
    given = request.POST.get(field, "")
    if not (given.isascii() and given.isdecimal()) or len(given) > 18:
        raise Invalid("It is not clear who is meant.", remedy="Use the buttons of this page.")
    return int(given)


def _member(row: Any, user: User, *, runs: bool) -> dict[str, Any]:
    return {
        "id": row.user_id,
        "name": name_among_members(row.user),
        # Addresses are for those who invite; the others know each other by name.
        "email": row.user.email if runs else "",
        "role": row.role,
        "since": row.created,
        "is_you": row.user_id == user.pk,
    }


def _invitation(row: Any) -> dict[str, Any]:
    return {"id": row.pk, "email": row.email, "role": row.role, "created": row.created, "expires": row.expires}
