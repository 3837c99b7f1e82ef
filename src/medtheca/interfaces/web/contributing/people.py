"""The people of a contributor or a cohort, and invitations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, DomainError, Invalid, NotFound
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.invitations import OtherAddress, invitation_of_secret, invitations_of, is_for
from medtheca.domains.provenance import people
from medtheca.domains.provenance.access import may_own
from medtheca.domains.provenance.queries import cohort_for, contributor_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.contributing.forms import ROLE_WORDS, InviteForm
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows import inviting

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_REVIEWERS_ARE = "Reviewers are named by staff."


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contributor_people(request: HttpRequest, contributor_id: int) -> HttpResponse:
    """Who belongs to a contributor."""
    thing = contributor_for(signed_in(request), contributor_id)
    back = {"label": thing.institution_name, "url": reverse("contributor", args=[thing.pk])}
    return _page(request, thing, back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_people(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Who belongs to a cohort."""
    thing = cohort_for(signed_in(request), cohort_id)
    back = {"label": thing.name, "url": reverse("cohort", args=[thing.pk])}
    return _page(request, thing, back)


def _page(request: HttpRequest, thing: people.Thing, back: dict[str, str]) -> HttpResponse:
    user = signed_in(request)
    owns = may_own(user, thing)
    roles = people.roles_offered(user, thing) if owns else []
    inviting_now = request.POST.get("action") == "invite"
    form = InviteForm(request.POST if inviting_now else None, roles=roles, initial={"role": Role.EDITOR.value})
    error = ""
    if request.method == "POST":
        try:
            done = _invite(request, thing, user, form) if inviting_now else _act(request, thing, user)
        except (Conflict, Invalid) as refusal:
            done = ""
            if inviting_now:
                show_refusal(form, refusal)
            else:
                error = in_words(refusal)
        if done:
            messages.success(request, done)
            # Whoever has just left may not see the page any more.
            here = may_own(user, thing) or people.belongs(user, thing)
            return redirect(request.path if here else reverse("cohorts"))
    context = {
        "back": back,
        "crumbs": [back, {"label": "People", "url": None}],
        "is_cohort": people.kind_of(thing) == "cohort",
        "members": _rows(thing, user, owns=owns),
        "heirs": _heirs(thing) if owns else [],
        "owners": _owners(thing) if owns else [],
        "invitations": [_invitation(row, user) for row in invitations_of(thing.scope)] if owns else [],
        "may_own": owns,
        "form": form if owns else None,
        "error": error,
        "reviewers_are": _REVIEWERS_ARE,
    }
    return render(request, "pages/people.html", context, status=409 if error else 200)


def _rows(thing: people.Thing, user: User, *, owns: bool) -> list[dict[str, Any]]:
    offered = people.roles_offered(user, thing) if owns else []
    members = people.members_of(thing)
    called = people.call_people(thing, [member.user for member in members], asker=user)
    rows = []
    for member in members:
        fixed = member.through is not None or not owns or not people.may_change(user, member.role)
        rows.append(
            {
                "id": member.user.pk,
                "name": called[member.user.pk].name,
                "email": called[member.user.pk].email or "",
                "affiliation": member.user.affiliation,
                "orcid": member.user.orcid,
                "active": member.user.is_active,
                "role": member.role.value,
                "role_words": member.role.label,
                "since": member.since,
                "through": member.through.institution_name if member.through else "",
                "roles": [] if fixed else [(role.value, role.label) for role in offered],
                "removable": not fixed,
                "is_you": member.user.pk == user.pk,
                "leavable": member.user.pk == user.pk and member.through is None,
            }
        )
    return rows


def _owners(thing: people.Thing) -> list[User]:
    return [row.user for row in people.members_of(thing) if row.role == Role.OWNER and row.through is None]


def _heirs(thing: people.Thing) -> list[User]:
    """Who may take ownership over: those who belong to it already, so that nobody learns who has an account."""
    return [row.user for row in people.members_of(thing) if row.role != Role.OWNER and row.user.is_active]


def _invitation(row: Any, user: User) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.email,
        "role": Role(row.role).label,
        "by": row.by.full_name,
        "created": row.created,
        "expires": row.expires,
        "state": "expired" if people.is_over(row) else "waiting",
        "changeable": people.may_change(user, row.role),
    }


def _invite(request: HttpRequest, thing: people.Thing, user: User, form: InviteForm) -> str:
    if not form.is_valid():
        people.roles_offered(user, thing)
        return ""
    email, role = form.cleaned_data["email"], people.role_named(form.cleaned_data["role"])
    inviting.invite(thing=thing, email=email, role=role, actor=user)
    return f"An invitation is on its way to {email}. It can be accepted for 14 days."


def _act(request: HttpRequest, thing: people.Thing, user: User) -> str:
    """Do what the button says; return what was done, in words."""
    actions: dict[str, Callable[[], str]] = {
        "role": lambda: _set_role(request, thing, user),
        "remove": lambda: _remove(request, thing, user),
        "leave": lambda: _leave(thing, user),
        "transfer": lambda: _transfer(request, thing, user),
        "resend": lambda: _resend(request, thing, user),
        "revoke": lambda: _revoke(request, thing, user),
    }
    action = actions.get(request.POST.get("action", ""))
    if action is None:
        people.roles_offered(user, thing)
        raise Invalid("It is not clear what is to be done.", remedy="Use the buttons of this page.")
    return action()


def _set_role(request: HttpRequest, thing: people.Thing, user: User) -> str:
    role = people.role_named(request.POST.get("role", ""))
    people.roles_offered(user, thing)
    member = _member(request, "user", thing)
    people.set_member(thing=thing, user=member, role=role, actor=user)
    return f"{member.full_name} is {ROLE_WORDS[role].split(':')[0].lower()} now."


def _remove(request: HttpRequest, thing: people.Thing, user: User) -> str:
    people.roles_offered(user, thing)
    member = _member(request, "user", thing)
    people.remove_person(thing=thing, user=member, actor=user)
    return f"{member.full_name} was removed."


def _leave(thing: people.Thing, user: User) -> str:
    people.remove_person(thing=thing, user=user, actor=user)
    return "You have left."


def _transfer(request: HttpRequest, thing: people.Thing, user: User) -> str:
    people.roles_offered(user, thing)
    giver, taker = _member(request, "giver", thing), _member(request, "taker", thing)
    people.transfer(thing=thing, giver=giver, taker=taker, actor=user)
    return f"{taker.full_name} is owner now, in the place of {giver.full_name}."


def _resend(request: HttpRequest, thing: people.Thing, user: User) -> str:
    made = inviting.invite_again(thing=thing, invitation_id=_number(request, "invitation"), actor=user)
    return f"A new link is on its way to {made.email}; the one before it is void."


def _revoke(request: HttpRequest, thing: people.Thing, user: User) -> str:
    people.revoke_invitation(thing=thing, invitation_id=_number(request, "invitation"), actor=user)
    return "The invitation was revoked."


def _member(request: HttpRequest, field: str, thing: people.Thing) -> User:
    wanted = _number(request, field)
    found = next((row.user for row in people.members_of(thing) if row.user.pk == wanted), None)
    if found is None:
        raise Conflict("This person does not belong here.", remedy="Look at the list again.")
    return found


def _number(request: HttpRequest, field: str) -> int:
    given = request.POST.get(field, "")
    if not given.isdecimal() or len(given) > 18:
        raise Invalid("It is not clear who is meant.", remedy="Use the buttons of this page.")
    return int(given)


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """An invitation, for whoever has its link: to accept, after a log-in or sign-up."""
    found = invitation_of_secret(secret)
    if found.scope.kind not in {ScopeKind.CONTRIBUTOR, ScopeKind.COHORT}:
        raise NotFound("There is no such invitation, or it is over.")
    error = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            thing = people.accept_invitation(
                secret=secret, user=request.user, with_other_address=request.POST.get("other") == "yes"
            )
        except OtherAddress as refusal:
            error = in_words(refusal)
        except DomainError as refusal:
            if isinstance(refusal, NotFound):
                raise
            error = in_words(refusal)
        else:
            messages.success(request, f"You now belong to {found.scope.name}.")
            return redirect(people.kind_of(thing), thing.pk)
    here = request.path
    context = {
        "name": found.scope.name,
        "role": ROLE_WORDS[Role(found.role)],
        "by": found.by.full_name,
        "email": found.email,
        "expires": found.expires,
        "is_yours": request.user.is_authenticated and is_for(found, request.user),
        "login_url": f"{reverse('account_login')}?next={here}",
        "signup_url": f"{reverse('account_signup')}?next={here}",
        "error": error,
    }
    response = render(request, "pages/invitation.html", context, status=409 if error else 200)
    # Keeps the secret out of every Referer. "no-referrer" would hide the form's origin as well, and have it refused.
    response["Referrer-Policy"] = "strict-origin"
    add_never_cache_headers(response)
    return response
