"""`medtheca archive list`, `show`, `create` and `edit`: which archives there are, and what they say of themselves.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.access import roles_in
from medtheca.domains.archives.enums import AccessHandling
from medtheca.domains.archives.fields import questions_of
from medtheca.domains.archives.listing import Wanted, count_items, find_archives
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.queries import archive_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.named import contributor_named
from medtheca.interfaces.cli.options import acting, as_json, changes, licence_given
from medtheca.interfaces.cli.telling import print_facts, print_json, print_rows, time_of
from medtheca.workflows.archiving.making import make_archive

if TYPE_CHECKING:
    from medtheca.domains.access.enums import Role
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive

_F = TypeVar("_F", bound=Callable[..., Any])
ARCHIVE = click.argument("archive_ref", metavar="ARCHIVE")
_VISIBILITIES = {
    "public": {"public": True, "hidden": False},
    "private": {"public": False, "hidden": False},
    "hidden": {"public": False, "hidden": True},
}
_LISTS = {
    "modality": "modalities",
    "structure": "structures",
    "organisation": "organizations",
    "keyword": "keywords",
    "publication": "publications",
}


class TextOrFile(click.ParamType[str]):
    """A text, or with @ before it the path of a file that has it."""

    name = "TEXT|@FILE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text. A file that is none of UTF-8, or is not there, is a wrong use of the command."""
        if not value.startswith("@"):
            return value
        try:
            return Path(value[1:]).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self.fail(f"The file {value[1:]} is no UTF-8 text.", param, ctx)
        except OSError as error:
            self.fail(f"The file {value[1:]} cannot be read: {error.strerror}.", param, ctx)


_DESCRIBED = (
    click.option("--description", type=TextOrFile(), help="One paragraph, for lists."),
    click.option("--information", type=TextOrFile(), help="Markdown, for its page; @README.md reads a file."),
    click.option("--modality", multiple=True, help="Such as CT. This and the next four may be repeated; '' is none."),
    click.option("--structure", multiple=True, help="Of the body, such as Lung."),
    click.option("--organisation", multiple=True, help="Such as an institution."),
    click.option("--keyword", multiple=True, help="By which it is found."),
    click.option("--publication", multiple=True, metavar="DOI", help="Such as 10.1000/182."),
    click.option("--licence", callback=licence_given, help="CC-0, CC-BY or CC-BY-NC, or by SPDX; '' is none."),
    click.option("--citation", type=TextOrFile(), help="How it is to be cited."),
    click.option("--contact", metavar="EMAIL", help="For everybody who sees its page."),
    click.option(
        "--public", "visibility", flag_value="public", type=str, help="Listed for everybody; items for its people."
    ),
    click.option(
        "--private", "visibility", flag_value="private", type=str, help="Not listed; who has its address may ask."
    ),
    click.option(
        "--hidden", "visibility", flag_value="hidden", type=str, help="Nobody but its people finds anything there."
    ),
    click.option("--requests", type=click.Choice(AccessHandling.values), help="What becomes of requests to see it."),
    click.option("--downloads/--no-downloads", default=None, help="Whether users take files and values away."),
    click.option("--question", multiple=True, help="To those who ask; with * at its end it must be answered. Repeat."),
    click.option("--terms", type=TextOrFile(), help="Markdown that those who ask accept. A change is a new version."),
)


def _described(command: _F) -> _F:
    """All that an editor says of an archive, as options."""
    for option in reversed(_DESCRIBED):
        command = option(command)
    return command


def _said(archive: Archive | None = None, **given: Any) -> dict[str, Any]:
    """What options say, as `archives.fields` names it; what was left out is not there."""
    said: dict[str, Any] = {_LISTS[name]: list(value) for name, value in given.items() if name in _LISTS and value}
    plain = ("title", "description", "information", "licence", "citation", "terms", "downloads")
    said |= {name: given[name] for name in plain if given.get(name) is not None}
    said |= _VISIBILITIES.get(given["visibility"], {})
    if given["contact"] is not None:
        said["contact_email"] = given["contact"]
    if given["requests"] is not None:
        said["access_requests"] = given["requests"]
    if given["question"]:
        said["request_form"] = questions_of("\n".join(given["question"]), archive.request_form if archive else ())
    return said


@click.command(
    name="list",
    epilog="""\b
Examples:
  medtheca archive list --mine --as alice@example.org
  medtheca archive list lung --modality CT --public --as bob@example.org --json
""",
)
@click.argument("words", nargs=-1)
@click.option("--mine", is_flag=True, help="Only those that the person is in.")
@click.option("--public/--private", default=None, help="Only such.")
@click.option("--modality", default="", help="Only with this one; the next three likewise.")
@click.option("--structure", default="")
@click.option("--organisation", default="")
@click.option("--keyword", default="")
@acting("Whose view: public archives, and those that they are in; of the staff, all.")
@as_json
@refusals_told
def list_archives(
    *, words: tuple[str, ...], mine: bool, public: bool | None, email: str, as_json: bool, **kept: str
) -> None:
    """List archives that have all WORDS in title, description or keywords, the newest first.

    In a line: slug, title, items that you see, what it is, your role.
    """
    user = user_by_email(email)
    wanted = Wanted(" ".join(words), {_LISTS[name]: value for name, value in kept.items()}, mine, public)
    found = list(find_archives(user, wanted))
    items = count_items(user, found)
    roles = roles_in(user, found)
    briefs = [_brief(row, roles.get(row.pk), items.get(row.pk)) for row in found]
    if as_json:
        print_json(briefs)
        return
    print_rows([row["slug"], row["title"], row["item_count"], row["visibility"], row["role"]] for row in briefs)
    if not found:
        click.echo("No archive is found so. `medtheca archive create TITLE` makes one.", err=True)


@click.command(name="show", epilog="\b\nExample:\n  medtheca archive show chest-ct --as alice@example.org\n")
@ARCHIVE
@acting("Who asks.")
@as_json
@refusals_told
def show_archive(*, archive_ref: str, email: str, as_json: bool) -> None:
    """Show what ARCHIVE says of itself, who answers for it, and what you are in it."""
    user = user_by_email(email)
    _show(archive_named(user, archive_ref), user, as_json=as_json)


@click.command(
    name="create",
    epilog="""\b
Examples:
  medtheca archive create "Chest CT" --contributor "Clinic of Exampleton" --as alice@example.org
  medtheca archive create "Chest CT" --new-contributor "Clinic of Exampleton" --public --licence CC-BY \\
      --modality CT --structure Lung --information @README.md --question "What for? *" --as alice@example.org
""",
)
@click.argument("title")
@click.option("--contributor", "contributor_name", metavar="ID|NAME", help="Who answers for its images; one of yours.")
@click.option("--new-contributor", metavar="NAME", help="As whom to make a new one.")
@_described
@acting("Who makes it, and becomes its editor.")
@as_json
@refusals_told
def create(
    *, title: str, contributor_name: str | None, new_contributor: str | None, email: str, as_json: bool, **given: Any
) -> None:
    """Make an archive called TITLE. It is private unless you say otherwise.

    Where this instance asks for it, the staff agree before others find it.
    """
    if (contributor_name is None) == (new_contributor is None):
        raise click.UsageError("Say who answers for its images: one of --contributor, --new-contributor.")
    user = user_by_email(email)
    contributor_id = contributor_named(user, contributor_name).pk if contributor_name is not None else None
    said = _said(title=title, **given)
    made = make_archive(user=user, contributor_id=contributor_id, institution_name=new_contributor or "", **said)
    _show(made, user, as_json=as_json)
    if not made.approved:
        click.echo("It waits for the staff, who look at it first.", err=True)


@click.command(
    name="edit",
    epilog="""\b
Examples:
  medtheca archive edit chest-ct --public --citation "Roe A. Chest CT. 2026." --as alice@example.org
  medtheca archive edit chest-ct --keyword lung --keyword nodule --terms @terms.md --as alice@example.org
""",
)
@ARCHIVE
@click.option("--title", help="Its address keeps the first one.")
@_described
@acting("Who changes it: an editor, or one of the staff.")
@as_json
@refusals_told
def edit(*, archive_ref: str, email: str, as_json: bool, **given: Any) -> None:
    """Change what ARCHIVE says of itself; what is left out stays. A list that is given takes the place of the old."""
    user = user_by_email(email)
    archive = archive_named(user, archive_ref)
    said = changes(**_said(archive, **given))
    _show(change_archive(archive=archive, actor=user, **said), user, as_json=as_json)


def _visibility(archive: Archive) -> str:
    return "public" if archive.public else "hidden" if archive.hidden else "private"


def _brief(archive: Archive, role: Role | None, items: int | None) -> dict[str, Any]:
    return {
        "id": str(archive.pk),
        "slug": archive.slug,
        "title": archive.title,
        "visibility": _visibility(archive),
        "approved": archive.approved,
        "item_count": items,
        "role": role.value if role else None,
        "licence": archive.licence,
        **{name: getattr(archive, name) for name in _LISTS.values()},
        "created": time_of(archive.created),
    }


def _show(archive: Archive, user: User, *, as_json: bool) -> None:
    facts = _brief(archive, roles_in(user, [archive]).get(archive.pk), count_items(user, [archive]).get(archive.pk))
    told = ("description", "information", "citation", "contact_email", "access_requests", "downloads")
    facts |= {name: getattr(archive, name) for name in (*told, "request_form", "terms", "terms_version")}
    facts |= {"contributor": archive.contributor.institution_name}
    if as_json:
        print_json(facts)
        return
    lists = {name: ", ".join(facts[name]) for name in _LISTS.values()}
    questions = "\n".join(f"{one['label']}{' *' if one.get('required') else ''}" for one in facts["request_form"])
    print_facts(facts | lists | {"request_form": questions})


COMMANDS = (list_archives, show_archive, create, edit)
