"""The people of an archive: those in it, invitations, links for reviewers; and joining by an invitation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, DomainError, Invalid, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.invitations import OtherAddress, is_for
from medtheca.domains.accounts.verifying import verified_among
from medtheca.domains.archives import links, people
from medtheca.domains.archives.access import may_edit, require_editor
from medtheca.domains.archives.enums import PERSON_OF_ROLE, Person
from medtheca.interfaces.http.links import keep_link
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.frame import frame, open_archive
from medtheca.interfaces.web.archives.people_forms import PERSON_WORDS, LinkForm, PersonForm, end_of, end_on
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import cut_list
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows import archive_people as inviting

if TYPE_CHECKING:
    from django import forms

    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive

_A_PAGE = 50
_MOST_LINKS = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is in an archive, for its editors; what they do is the `action` of the buttons."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_editor(user, archive, to="see its people")
    action = request.POST.get("action", "")
    person_form = PersonForm(request.POST if action in {"add", "invite"} else None)
    link_form = LinkForm(request.POST if action == "link" else None)
    error, secret = "", ""
    if request.method == "POST":
        form: forms.Form | None = link_form if action == "link" else person_form if person_form.is_bound else None
        try:
            if form is None or form.is_valid():
                done, secret = _act(request, archive, user, action, form)
                if not secret:
                    messages.success(request, done)
                    left = not may_edit(user, archive)
                    return redirect("archives") if left else redirect("archive_people", archive.slug)
                link_form = LinkForm()
        except (Conflict, Invalid, NotFound) as refusal:
            if form is None:
                error = in_words(refusal)
            else:
                show_refusal(form, refusal)
    members = people.members_of(archive, asker=user)
    page = cut_list(request, members, size=_A_PAGE)
    verified = verified_among([row.user.pk for row in page.rows])
    context = {
        **frame(archive, standing, "archive_people"),
        "total": page.total,
        "members": [_member(row, user, verified=row.user.pk in verified) for row in page.rows],
        "roles": [(person.value, person.label) for person in Person],
        "role_meanings": PERSON_WORDS.values(),
        "invitations": _invitations(archive, user),
        "links": _links(archive, user),
        "person_form": person_form,
        "link_form": link_form,
        # In this one answer and nowhere else: only a hash of it is stored.
        "link_url": f"{settings.PUBLIC_URL}{reverse('archive_by_link', args=[secret])}" if secret else "",
        "error": error,
        **page.links(),
    }
    return render(request, "pages/archives/people.html", context, status=409 if error else 200)


def _act(request: HttpRequest, archive: Archive, user: User, action: str, form: forms.Form | None) -> tuple[str, str]:
    """What was done in words, and the secret of a link where one was made."""
    if form is None:
        return _press(request, archive, user, action), ""
    said = form.cleaned_data
    if action == "link":
        _, secret = links.make_link(archive=archive, editor=user, label=said["label"], expires=end_of(said["expires"]))
        return "", secret
    given = {"archive": archive, "actor": user, "email": said["email"], "person": said["role"]}
    if action == "add":
        added = people.add_person(**given, until=end_of(said["until"]))
        return f"{added.full_name} is in the archive.", ""
    inviting.invite(**given, until=end_of(said["until"]))
    return f"An invitation is on its way to {said['email']}. It can be accepted for 14 days.", ""


def _press(request: HttpRequest, archive: Archive, user: User, action: str) -> str:
    """What a button beside somebody, an invitation or a link does."""
    number = _number(request)
    if action == "role":
        member = people.member_for(archive, number, asker=user)
        wanted = request.POST.get("role", "")
        until = end_on(request.POST["until"], present=member.until) if "until" in request.POST else member.until
        people.set_person(archive=archive, actor=user, user=member.user, person=wanted, until=until)
        return f"Role and end of {member.user.full_name} are changed."
    acts: dict[str, tuple[Callable[[], object], str]] = {
        "remove": (
            lambda: people.remove_person(archive=archive, actor=user, user_id=number),
            "The person was removed. Pages and files refuse them within a minute.",
        ),
        "resend": (
            lambda: inviting.invite_again(archive=archive, actor=user, invitation_id=number),
            "The invitation was sent again. The link of the first mail does not work any more.",
        ),
        "revoke": (
            lambda: people.revoke_invitation(archive=archive, actor=user, invitation_id=number),
            "The invitation was revoked.",
        ),
        "unlink": (
            lambda: links.revoke_link(archive=archive, editor=user, link_id=number),
            "The link was revoked. It lets nobody in within a minute.",
        ),
    }
    if action not in acts:
        raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")
    act, words = acts[action]
    act()
    return words


def _number(request: HttpRequest) -> int:
    given = request.POST.get("number", "")
    if not (given.isascii() and given.isdecimal()) or len(given) > 18:
        raise Invalid("It is not clear who is meant.", remedy="Use the buttons of this page.")
    return int(given)


def _member(row: people.Member, user: User, *, verified: bool) -> dict[str, Any]:
    return {
        "id": row.user.pk,
        "name": row.user.full_name,
        "email": row.user.email,
        "affiliation": row.user.affiliation,
        "active": row.user.is_active,
        "verified": verified,
        "role": row.person.value,
        "since": row.since,
        "until": row.until,
        "held": row.held,
        "is_you": row.user.pk == user.pk,
    }


def _invitations(archive: Archive, user: User) -> list[dict[str, Any]]:
    rows = list(people.invitations_into(archive, asker=user))
    ends = people.ends_of(rows)
    return [
        {
            "id": row.pk,
            "email": row.email,
            "role": PERSON_OF_ROLE[Role(row.role)].label,
            "by": row.by.full_name,
            "created": row.created,
            "expires": row.expires,
            "expired": row.expires <= now(),
            "until": ends.get(row.pk),
        }
        for row in rows
    ]


def _links(archive: Archive, user: User) -> list[dict[str, Any]]:
    rows = list(links.links_into(archive, asker=user)[:_MOST_LINKS])
    live = links.live_among(rows)
    return [
        {
            "id": row.pk,
            "label": row.label,
            "expires": row.expires,
            "revoked": row.revoked,
            "live": row.pk in live,
            "uses": row.uses,
            "used": row.used,
        }
        for row in rows
    ]


@login_required
@require_POST
def archive_leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave an archive oneself."""
    user = signed_in(request)
    archive, _ = open_archive(request, slug)
    people.remove_person(archive=archive, actor=user, user_id=user.pk)
    messages.success(request, f"You have left {archive.title}.")
    return redirect("archives")


@require_http_methods(["GET", "HEAD", "POST"])
def archive_join(request: HttpRequest, secret: str) -> HttpResponse:
    """An invitation into an archive, for whoever has its link: to accept, after a log-in or sign-up."""
    found, archive = people.archive_of_invitation(secret)
    error = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            people.accept_invitation(
                secret=secret, user=request.user, with_other_address=request.POST.get("other") == "yes"
            )
        except OtherAddress as refusal:
            error = in_words(refusal)
        except DomainError as refusal:
            if isinstance(refusal, NotFound):
                raise
            error = in_words(refusal)
        else:
            messages.success(request, f"You now belong to {archive.title}.")
            return redirect("archive", archive.slug)
    context = {
        "name": archive.title,
        "role": PERSON_WORDS[PERSON_OF_ROLE[Role(found.role)]],
        "by": found.by.full_name,
        "email": found.email,
        "expires": found.expires,
        "is_yours": request.user.is_authenticated and is_for(found, request.user),
        "login_url": f"{reverse('account_login')}?next={request.path}",
        "signup_url": f"{reverse('account_signup')}?next={request.path}",
        "error": error,
    }
    response = render(request, "pages/invitation.html", context, status=409 if error else 200)
    # Keeps the secret out of every Referer. "no-referrer" would hide the form's origin as well, and have it refused.
    response["Referrer-Policy"] = "strict-origin"
    return response


@require_safe
def archive_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """A link for reviewers: its number goes into the session, and the secret into no address after this."""
    link = links.open_link(secret)
    keep_link(request, link.pk)
    response = redirect("archive", link.archive.slug)
    response["Referrer-Policy"] = "no-referrer"
    return response
