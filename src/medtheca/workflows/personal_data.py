"""Everything that is held about one person, as a ZIP of JSON files with a readme.

What the person is and was given stands there in full, without secrets. Of what they did to images it says which rows
name them, when and how; not what stands in those rows today, which may be others' private matter.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from medtheca.base.clock import now
from medtheca.domains.access.models import Invitation, Membership
from medtheca.domains.accounts.applications import applications_of
from medtheca.domains.accounts.connections import connections_of
from medtheca.domains.accounts.credentials import sessions_of
from medtheca.domains.accounts.models import AccountDeletion, ApiToken, User
from medtheca.domains.accounts.taking import finish_export, unfinished_export
from medtheca.domains.accounts.terms import acceptances_of
from medtheca.domains.archives.requests import requests_by
from medtheca.domains.archives.terms import accepted_by
from medtheca.domains.ledger.models import Event, Notification, Preference
from medtheca.domains.storage.models import Upload

Row = dict[str, Any]
# Tables that have a file of their own.
_TOLD_ELSEWHERE = {"accounts", "ledger"}
_TOLD = {Membership, Invitation, Upload}
# The person's own words in tables of which otherwise only ids, times and states are told.
_OWN_WORDS = {
    "provenance.review": ("reason",),
    "provenance.publishrequest": (),
    "collections.collection": ("name", "description"),
    "search.savedsearch": ("name", "query"),
    "viewing.hangingprotocol": ("title", "description"),
    "viewing.viewerconfiguration": ("title", "description"),
    "viewing.windowpreset": ("title", "description"),
    "sockets.lookuptable": ("title", "description"),
}
_README = """What {name} holds about {email}
Made on {moment}. Times are UTC. All files are JSON.

profile.json        your profile, addresses, second factors (without secrets), single sign-on
terms.json          which versions of the terms of use you accepted
tokens.json         your API tokens, without their secrets, which are stored nowhere
connections.json    applications that act for you
applications.json   applications that you registered, without their secrets
sessions.json       browsers in which you are logged in
memberships.json    contributors, cohorts, archives and groups that you belong to, and invitations
archives.json       archives that you asked to see, with what you answered and what was decided and why; and the
                    data-use texts of archives that you accepted
uploads.json        files that you uploaded
notifications.json  what you were told, and how you want to be told
references.json     everything else that names you: reviews, requests to publish, accessions and so on, by
                    table and role, with ids, times and states
events.json         what you did, as the ledger has it, and what was done to your account

You appear in public only as {hash_id}. Questions: {support}
"""


def make_export(*, export_id: UUID) -> None:
    """Make the ZIP that a person asked for. Repeating it changes nothing."""
    export = unfinished_export(export_id)
    if export is not None:
        finish_export(export=export, content=export_of(export.user))


def export_of(user: User) -> bytes:
    """The ZIP of everything held about a person."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _readme(user))
        for name, content in _files(user):
            with archive.open(name, "w") as file, io.TextIOWrapper(file, encoding="utf-8") as text:
                _write(text, content)
    return buffer.getvalue()


def _readme(user: User) -> str:
    return _README.format(
        name=settings.INSTANCE_NAME,
        email=user.email,
        moment=f"{now():%Y-%m-%d %H:%M}",
        hash_id=user.hash_id,
        support=settings.SUPPORT_EMAIL,
    )


def _files(user: User) -> Iterator[tuple[str, Any]]:
    yield "profile.json", _profile(user)
    yield "terms.json", _rows(acceptances_of(user), "version", "at")
    tokens = ApiToken.objects.filter(user=user)
    yield "tokens.json", _rows(tokens, "id", "name", "scope", "hint", "created", "expires", "last_used", "revoked")
    connected = connections_of(user)
    yield "connections.json", _rows(connected, "application__name", "scopes", "created", "last_used")
    yield "applications.json", _rows(applications_of(user), "name", "client_id", "redirect_uris", "created")
    yield "sessions.json", _rows(sessions_of(user), "user_agent", "ip", "created_at", "last_seen_at")
    yield "memberships.json", _memberships(user)
    yield "archives.json", _archives(user)
    yield "uploads.json", _rows(Upload.objects.filter(owner=user), *_scalars(Upload, leave=("metadata",)))
    yield "notifications.json", _notifications(user)
    yield "references.json", dict(_references(user))
    yield "events.json", _events(user)


def _profile(user: User) -> Row:
    names = ("id", "email", "first_name", "last_name", "affiliation", "orcid", "country", "hash_id")
    times = ("created", "last_login", "accepted_terms", "accepted_version")
    factors = Authenticator.objects.filter(user=user)
    return {
        **{name: getattr(user, name) for name in (*names, "is_staff", "is_active", *times)},
        "addresses": list(_rows(EmailAddress.objects.filter(user=user), "email", "verified", "primary")),
        "second_factors": [
            {"kind": row.type, "name": str(row), "added": row.created_at, "last_used": row.last_used_at}
            for row in factors
        ],
        "single_sign_on": list(
            _rows(SocialAccount.objects.filter(user=user), "provider", "uid", "date_joined", "last_login", "extra_data")
        ),
        "wishes_to_be_deleted": list(
            _rows(AccountDeletion.objects.filter(user=user), "requested", "due", "cancelled", "done")
        ),
    }


def _memberships(user: User) -> Row:
    circles = Membership.objects.filter(user=user)
    invited = Invitation.objects.filter(email__iexact=user.email)
    sent = Invitation.objects.filter(by=user)
    return {
        "memberships": list(_rows(circles, "scope__kind", "scope__name", "role", "created")),
        "invitations_to_you": list(_rows(invited, "scope__kind", "role", "created", "expires", "accepted", "revoked")),
        "invitations_by_you": list(_rows(sent, "email", "scope__kind", "role", "created", "accepted", "revoked")),
    }


def _archives(user: User) -> Row:
    told = ("archive__slug", "archive__title", "state", "asked", "answers", "terms_version", "decided", "reason")
    return {
        "requests": list(_rows(requests_by(user), *told)),
        "data_use_texts": list(_rows(accepted_by(user), "archive__slug", "archive__title", "version", "at")),
    }


def _notifications(user: User) -> Row:
    told = Notification.objects.filter(recipient_id=user.pk)
    return {
        "notifications": list(_rows(told, "kind", "words", "url", "at", "times", "read_at")),
        "preferences": list(_rows(Preference.objects.filter(recipient_id=user.pk), "kind", "channel")),
    }


def _references(user: User) -> Iterator[tuple[str, list[Row]]]:
    """Of every other table of ours that points at users: `table.role` and the rows that point at this one."""
    for model in apps.get_models():
        if not model.__module__.startswith("medtheca.") or model in _TOLD or model._meta.app_label in _TOLD_ELSEWHERE:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is User:
                found = model._default_manager.filter(**{field.name: user})
                own = _OWN_WORDS.get(model._meta.label_lower, ())
                rows = list(_rows(found, *_scalars(model, words=own)))
                if rows:
                    yield f"{model._meta.label_lower}.{field.name}", rows


def _scalars(model: type[models.Model], *, words: Iterable[str] | None = None, leave: Iterable[str] = ()) -> list[str]:
    """Names of the columns with ids, times, states and numbers; of texts, all or only `words`."""
    found = []
    for field in model._meta.concrete_fields:
        text = isinstance(field, models.CharField | models.TextField | models.JSONField) and not field.choices
        heavy = isinstance(field, models.BinaryField)
        wanted = not text if words is not None else True
        if not heavy and field.name not in leave and (wanted or field.name in (words or ())):
            found.append(field.attname)
    return found


def _events(user: User) -> Iterator[Row]:
    mine = models.Q(actor_id=user.pk) | models.Q(subject_type="user", subject_id=str(user.pk))
    yield from _rows(Event.objects.filter(mine), "id", "at", "verb", "subject_type", "subject_id", "details")


def _rows(found: models.QuerySet[Any], *names: str) -> Iterator[Row]:
    yield from found.order_by("pk").values(*names).iterator(chunk_size=2000)


def _write(text: io.TextIOWrapper, content: Any) -> None:
    """Lists of any length in bounded memory; everything else at once."""
    if isinstance(content, dict):
        json.dump(content, text, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
        return
    text.write("[")
    for number, row in enumerate(content):
        text.write(",\n" if number else "\n")
        json.dump(row, text, cls=DjangoJSONEncoder, ensure_ascii=False)
    text.write("\n]\n")
