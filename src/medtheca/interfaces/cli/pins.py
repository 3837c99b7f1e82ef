"""`medtheca pins …`: images that are shown before others.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from medtheca.domains.access.queries import visibility_of
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.collections.pins import all_pins, order_pins, require_to_pin, set_images_pinned
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_json, print_rows

_STAFF = acting("Who does it: one of the staff.")
_IMAGES = click.argument("images", metavar="IMAGE...", nargs=-1, required=True)


@click.group(name="pins")
def pins() -> None:
    """Pin public images, so that lists show them before others, and put them in order."""


@pins.command(name="list", epilog="\b\nExample:\n  medtheca pins list --as sam@example.org\n")
@_STAFF
@as_json
@refusals_told
def list_pins(*, email: str, as_json: bool) -> None:
    """List pinned images in their order. In a line: place, id, visibility; what is not public is not shown first."""
    user = user_by_email(email)
    require_to_pin(user)
    _show(as_json=as_json)


@pins.command(name="add", epilog="\b\nExample:\n  medtheca pins add ISIC_0000042 ISIC_0000043 --as sam@example.org\n")
@_IMAGES
@_STAFF
@as_json
@refusals_told
def add(*, images: Sequence[str], email: str, as_json: bool) -> None:
    """Pin images behind those that are pinned already; all of them, or none."""
    set_images_pinned(refs=images, actor=user_by_email(email), pinned=True)
    _show(as_json=as_json)


@pins.command(name="remove", epilog="\b\nExample:\n  medtheca pins remove ISIC_0000042 --as sam@example.org\n")
@_IMAGES
@_STAFF
@as_json
@refusals_told
def remove(*, images: Sequence[str], email: str, as_json: bool) -> None:
    """Unpin images; all of them, or none."""
    set_images_pinned(refs=images, actor=user_by_email(email), pinned=False)
    _show(as_json=as_json)


@pins.command(
    name="order", epilog="\b\nExample:\n  medtheca pins order ISIC_0000043 ISIC_0000042 --as sam@example.org\n"
)
@_IMAGES
@_STAFF
@as_json
@refusals_told
def order(*, images: Sequence[str], email: str, as_json: bool) -> None:
    """Put pinned images into this order: name all of them, each once."""
    order_pins(refs=images, actor=user_by_email(email))
    _show(as_json=as_json)


def _show(*, as_json: bool) -> None:
    found = all_pins()
    shown = visibility_of([image.pk for image in found])
    rows: list[dict[str, Any]] = [
        {"place": place, "image": image.public_id or str(image.key), "visibility": shown[image.pk].value}
        for place, image in enumerate(found, start=1)
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(list(row.values()) for row in rows)
    if not rows:
        click.echo("No image is pinned. `medtheca pins add ID` pins one.", err=True)
