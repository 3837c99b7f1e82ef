"""`medtheca collection …`: sets of images for a purpose.

Exit codes: 0 done; 1 refused, or some images were, with the reason on standard error; 2 the command was written
wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.collections import operations, sharing
from medtheca.domains.collections.access import may_edit, may_own, visible_collections
from medtheca.domains.collections.dropped import dropped_out
from medtheca.domains.collections.queries import (
    count_images,
    count_listed,
    count_not_shared,
    credits_of,
    owners_named,
)
from medtheca.domains.collections.totals import shown_of, sizes_together
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.collection_images import COLLECTION, EDITOR, add, remove
from medtheca.interfaces.cli.named import collection_named, group_named
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows, printable, time_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection
    from medtheca.domains.collections.totals import Shown

_OWNER = acting("Who does it: the owner of the collection, or one of the staff.")
_PEOPLE = click.option("--with", "people", metavar="EMAIL", multiple=True, help="A person; may be repeated.")
_GROUPS = click.option("--group", "groups", metavar="GROUP", multiple=True, help="A named group; may be repeated.")


@click.group(name="collection")
def collection() -> None:
    """Make collections of images, fill and share them. COLLECTION is an id or the whole name."""


collection.add_command(add)
collection.add_command(remove)


@collection.command(name="list", epilog="\b\nExample:\n  medtheca collection list --as alice@example.org\n")
@click.option("--mine", is_flag=True, help="Only those that the person made.")
@acting("Whose view: public collections, their own, those shared with them; of the staff, all.")
@as_json
@refusals_told
def list_collections(*, mine: bool, email: str, as_json: bool) -> None:
    """List collections, pinned ones first. In a line: id, name, images that you see, what it is, its owner, its
    contributors. How many images are in them together, and how many different ones, goes to standard error.
    """
    user = user_by_email(email)
    rows = visible_collections(user).select_related("creator").order_by("-pinned", "name", "pk")
    rows = rows.filter(creator=user) if mine else rows
    found = list(rows)
    shown, owners = shown_of(found, user), owners_named(found, user)
    if as_json:
        print_json([_facts(row, user, shown[row.pk]) for row in found])
        return
    print_rows(
        [row.pk, row.name, shown[row.pk].images, _states(row), owners[row.pk], "; ".join(shown[row.pk].contributors)]
        for row in found
    )
    if found:
        sizes = sizes_together(rows, asker=user)
        click.echo(f"{sizes.memberships:,} images in them, of which {sizes.images:,} are different.", err=True)
    if not found:
        click.echo("There is no collection yet. `medtheca collection create NAME` makes one.", err=True)


@collection.command(name="show", epilog="\b\nExample:\n  medtheca collection show Moles --as alice@example.org\n")
@COLLECTION
@acting("Who asks.")
@as_json
@refusals_told
def show_collection(*, collection_name: str, email: str, as_json: bool) -> None:
    """Show COLLECTION: whose work its images are, and for its owner with whom it is shared and what dropped out."""
    user = user_by_email(email)
    _show(collection_named(user, collection_name), user, as_json=as_json)


@collection.command(
    name="create", epilog='\b\nExample:\n  medtheca collection create "Moles 2026" --as alice@example.org\n'
)
@click.argument("name")
@click.option("--description", default="", help="Markdown.")
@click.option("--public", is_flag=True, help="Everybody sees it; it holds public images only.")
@acting("Who makes it, and owns it.")
@as_json
@refusals_told
def make_collection(*, name: str, description: str, public: bool, email: str, as_json: bool) -> None:
    """Make an empty collection called NAME."""
    user = user_by_email(email)
    made = operations.create_collection(creator=user, name=name, description=description, public=public)
    _show(made, user, as_json=as_json)


@collection.command(
    name="change", epilog="\b\nExample:\n  medtheca collection change Moles --public --as alice@example.org\n"
)
@COLLECTION
@click.option("--name", help="Call it so. Its owner.")
@click.option("--description", help="Markdown.")
@click.option("--public/--private", default=None, help="Whether everybody sees it. Its owner.")
@EDITOR
@as_json
@refusals_told
def change_collection(
    *, collection_name: str, name: str | None, description: str | None, public: bool | None, email: str, as_json: bool
) -> None:
    """Rename or describe COLLECTION, make it public or private. While images of it are private, all are named."""
    if name is None and description is None and public is None:
        raise click.UsageError("Say what to change; --help lists what can be.")
    user = user_by_email(email)
    found = collection_named(user, collection_name)
    changed = operations.change_collection(
        collection=found, actor=user, name=name, description=description, public=public
    )
    _show(changed, user, as_json=as_json)


@collection.command(
    name="share",
    epilog="\b\nExample:\n  medtheca collection share Moles --with bob@example.org --as alice@example.org\n",
)
@COLLECTION
@_PEOPLE
@_GROUPS
@click.option("--editors", is_flag=True, help="These people may add and remove images.")
@click.option("--quietly", is_flag=True, help="Tell nobody.")
@_OWNER
@as_json
@refusals_told
def share_collection(
    *,
    collection_name: str,
    people: Sequence[str],
    groups: Sequence[str],
    editors: bool,
    quietly: bool,
    email: str,
    as_json: bool,
) -> None:
    """Share COLLECTION with people whom you work with, and with groups that you are in.

    They see what is public, and what somebody added who may show it to others: an owner or editor of its cohort.
    """
    user = user_by_email(email)
    found = collection_named(user, collection_name)
    users = sharing.people_to_share_with(user, user_ids=[], emails=people)
    ids = [group_named(user, name).pk for name in groups]
    done = sharing.share(collection=found, actor=user, users=users, group_ids=ids, as_editors=editors, tell=not quietly)
    facts = {"shared": done.fresh, "images_shown": done.shown}
    if as_json:
        print_json(facts)
        return
    click.echo(f"Shared with {done.fresh:,} more. It shows them {done.shown:,} images that are not public.")


@collection.command(
    name="revoke",
    epilog="\b\nExample:\n  medtheca collection revoke Moles --with bob@example.org --as alice@example.org\n",
)
@COLLECTION
@_PEOPLE
@_GROUPS
@acting("Who does it: the owner, one of the staff, or whoever leaves.")
@refusals_told
def revoke_share(*, collection_name: str, people: Sequence[str], groups: Sequence[str], email: str) -> None:
    """Take back what is shared of COLLECTION. What only it showed is closed within a minute."""
    user = user_by_email(email)
    found = collection_named(user, collection_name)
    wanted = {address.strip().lower() for address in people}
    users = [user.pk] if user.email.lower() in wanted else []
    ids: list[int] = []
    if may_own(user, found):
        shares = sharing.shares_of(found)
        users += [one.user.pk for one in shares if one.user and one.user.email.lower() in wanted]
        ids = [one.group.pk for one in shares if one.group and {one.group.name, str(one.group.pk)} & set(groups)]
    ended = sharing.revoke(collection=found, actor=user, user_ids=users, group_ids=ids)
    click.echo(f"Shared with {ended:,} fewer.")


def _switch(name: str, words: str, who: str, act: Callable[[Collection, User], Collection]) -> Callable[..., None]:
    """A command that turns something on or off and shows the collection."""

    @collection.command(
        name=name, help=words, epilog=f"\b\nExample:\n  medtheca collection {name} Moles --as alice@example.org\n"
    )
    @COLLECTION
    @acting(who)
    @as_json
    @refusals_told
    def switch(*, collection_name: str, email: str, as_json: bool) -> None:
        user = user_by_email(email)
        _show(act(collection_named(user, collection_name), user), user, as_json=as_json)

    return switch


_STAFF = "Who does it: one of the staff."
_HOLDER = "Who does it: the owner, or one of the staff."
_switch(
    "pin",
    "Show COLLECTION, which is public, before others.",
    _STAFF,
    lambda row, user: operations.set_pinned(collection=row, actor=user, pinned=True),
)
_switch(
    "unpin",
    "Show COLLECTION in its place among others.",
    _STAFF,
    lambda row, user: operations.set_pinned(collection=row, actor=user, pinned=False),
)
_switch(
    "lock",
    "Lock COLLECTION: nothing in it changes until it is unlocked.",
    _HOLDER,
    lambda row, user: operations.set_locked(collection=row, actor=user, locked=True),
)
_switch(
    "unlock",
    "Unlock COLLECTION, unless it stays locked for a reason.",
    _HOLDER,
    lambda row, user: operations.set_locked(collection=row, actor=user, locked=False),
)


@collection.command(
    name="delete",
    epilog="""\b
Examples:
  medtheca collection delete Moles --as alice@example.org           preview only
  medtheca collection delete Moles --yes --as alice@example.org
""",
)
@COLLECTION
@click.option("--yes", is_flag=True, help="Do it. Without this, only say what would go.")
@_OWNER
@refusals_told
def delete_collection(*, collection_name: str, yes: bool, email: str) -> None:
    """Take COLLECTION away for good; its images stay. Not while it is locked or pinned."""
    user = user_by_email(email)
    found = collection_named(user, collection_name)
    name, number = printable(found.name), count_images([found], user)[found.pk]
    if not yes:
        click.echo(f"{name} would be deleted; the {number:,} images in it that you see stay where they are.")
        click.echo("Nothing was changed. --yes does it.")
        return
    operations.delete_collection(collection=found, actor=user)
    click.echo(f"{name} is deleted.")


def _states(row: Collection) -> str:
    words = ["public" if row.public else "private", "pinned" if row.pinned else "", "locked" if row.locked else ""]
    return ", ".join(filter(None, words))


def _facts(row: Collection, user: User, shown: Shown) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "description": row.description,
        "public": row.public,
        "pinned": row.pinned,
        "locked": row.locked,
        "owner": owners_named([row], user)[row.pk],
        "created": time_of(row.created),
        "images": shown.images,
        "contributors": list(shown.contributors),
        "hidden": count_listed(row) - shown.images if may_edit(user, row) else None,
    }


def _show(row: Collection, user: User, *, as_json: bool) -> None:
    facts = _facts(row, user, shown_of([row], user, patient=True)[row.pk])
    work = [
        {"license": one.licence, "attribution": one.attribution, "count": one.count} for one in credits_of(row, user)
    ]
    shares, dropped = [], dropped_out(row, user) if may_edit(user, row) else None
    if may_own(user, row):
        facts["not_shared"] = count_not_shared(row)
        shares = [
            {
                "user": one.user.email if one.user else None,
                "group": one.group.name if one.group else None,
                "editor": one.edits,
                "since": time_of(one.since),
            }
            for one in sharing.shares_of(row)
        ]
    out = [{"image": one.name, "reason": one.words} for one in dropped.rows] if dropped else []
    if as_json:
        print_json(facts | {"attribution": work, "shared_with": shares, "dropped_out": out})
        return
    print_facts(facts | {"contributors": "\n".join(facts["contributors"])})
    print_rows(["by", one["count"], one["license"], one["attribution"]] for one in work)
    print_rows(
        ["shared with", one["user"] or f"group {one['group']}", "editor" if one["editor"] else "viewer"]
        for one in shares
    )
    print_rows(["dropped out", one["image"], one["reason"]] for one in out)
