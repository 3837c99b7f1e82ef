"""What a person says about themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields

from django.db import transaction

from medtheca.base.errors import Problem
from medtheca.domains.accounts.errors import BadUser
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.toolkit.countries import countries
from medtheca.toolkit.orcid import NotAnOrcid, read_orcid
from medtheca.toolkit.suggest import did_you_mean

_LENGTHS = {"first_name": 150, "last_name": 150, "affiliation": 200}
_TITLES = {"first_name": "The name", "last_name": "The name", "affiliation": "The affiliation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Values to save; None leaves a value as it is, an empty text takes it away."""

    first_name: str | None = None
    last_name: str | None = None
    affiliation: str | None = None
    orcid: str | None = None
    country: str | None = None


def change_profile(*, user: User, profile: Profile) -> User:
    """Save what a person says about themselves. Raises `BadUser` naming every value that is wrong."""
    problems: list[Problem] = []
    given: dict[str, str] = {}
    for field in fields(profile):
        value = getattr(profile, field.name)
        if value is not None:
            given[field.name] = _checked(field.name, " ".join(value.split()), problems)
    if problems:
        raise BadUser("The profile was not saved.", problems=problems)
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        changed = sorted(name for name, value in given.items() if getattr(row, name) != value)
        for name in changed:
            setattr(row, name, given[name])
        if changed:
            row.save(update_fields=changed)
            # Names of the fields only: the ledger keeps for ever, and a person may be deleted.
            record(
                actor_id=user.pk,
                verb="user.profile_changed",
                subject_type="user",
                subject_id=user.pk,
                details={"fields": changed},
            )
    for name in given:
        setattr(user, name, getattr(row, name))
    return user


def _checked(name: str, value: str, problems: list[Problem]) -> str:
    """The value as it is stored; what is wrong with it is added to `problems`."""
    if not value:
        return ""
    if "\0" in value:
        problems.append(Problem(name, "The text holds a character that no text has (NUL)."))
    elif len(value) > _LENGTHS.get(name, 100):
        most = _LENGTHS.get(name, 100)
        problems.append(
            Problem(name, f"{_TITLES.get(name, 'The text')} has {len(value)} characters; {most} is the most.")
        )
    elif name == "orcid":
        return _orcid(value, problems)
    elif name == "country":
        return _country(value, problems)
    return value


def _orcid(value: str, problems: list[Problem]) -> str:
    try:
        return read_orcid(value)
    except NotAnOrcid as error:
        problems.append(Problem("orcid", str(error), remedy="It stands on your page at orcid.org."))
        return ""


def _country(value: str, problems: list[Problem]) -> str:
    known = countries()
    if value.upper() in known:
        return value.upper()
    by_name = {name.casefold(): code for code, name in known.items()}
    if value.casefold() in by_name:
        return by_name[value.casefold()]
    remedy = did_you_mean(value, list(known.values())) or "Write its two letters, such as CH."
    problems.append(Problem("country", f"{value!r} is no country of ISO 3166-1.", remedy=remedy))
    return ""
