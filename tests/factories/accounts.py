"""People. Alice owns, Bob is invited, Charlie is a stranger, Sam is staff; names in demo… are demo logins."""

from datetime import timedelta

from medtheca.base.clock import now
from medtheca.domains.accounts.operations import create_token, create_user
from medtheca.domains.accounts.terms import accept_terms

PASSWORD = "correct horse battery staple"


def make_user(name, *, asked=True, **fields):
    """A user who can log in with PASSWORD: `make_user("alice")` is alice@example.org.

    They have accepted the terms; with `asked=False` nobody has asked them yet.
    """
    first_name = name.capitalize()
    fields = {"staff": name.lower() == "sam", "demo": name.lower().startswith("demo"), **fields}
    user = create_user(
        **{
            "email": f"{name.lower()}@example.org",
            "password": PASSWORD,
            "first_name": first_name,
            "last_name": "Example",
            **fields,
        }
    )
    return accept_terms(user=user) if asked else user


def make_token(user, scope="read", *, days=1, name="notebook"):
    """A live token; returns the token and its secret."""
    return create_token(user=user, name=name, scope=scope, expires=now() + timedelta(days=days))


def bearer(secret):
    """Keyword arguments of Django's test client that send a token."""
    return {"headers": {"authorization": f"Bearer {secret}"}}
