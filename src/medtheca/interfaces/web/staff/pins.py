"""Images that are shown before others: pin, unpin, and put into order by buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.access.enums import Visibility
from medtheca.domains.collections.pins import MOST_PINNED, all_pins, move_pin, set_image_pinned
from medtheca.domains.search.queries import image_for
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.staff.tools import staff_user
from medtheca.interfaces.web.tiles import image_url, tiles_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.imaging.models import Image


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pins(request: HttpRequest) -> HttpResponse:
    """The pinned images in their order. The pages of images send here what their button does."""
    user = staff_user(request)
    error, ref = "", request.POST.get("image", "").strip()[:100]
    if request.method == "POST":
        try:
            found = image_for(user, ref)
            words = _do(request.POST.get("action", ""), found, user)
        except (Conflict, Invalid, NotFound) as refusal:
            error = in_words(refusal)
        else:
            messages.success(request, words)
            if request.POST.get("from") == "image":
                return redirect(image_url(found))
            return redirect(f"{reverse('staff_pins')}#pin-{found.key}")
    tiles = tiles_of(all_pins(), asker=user)
    context = {
        "pins": [tile | {"public": tile["visibility"] == Visibility.PUBLIC} for tile in tiles],
        "most": MOST_PINNED,
        "ref": ref if error else "",
        "error": error,
        "crumbs": [{"label": "Staff tools", "url": reverse("staff")}, {"label": "Pinned images", "url": None}],
    }
    return render(request, "pages/staff/pins.html", context, status=409 if error else 200)


def _do(action: str, found: Image, user: User) -> str:
    name = found.public_id or str(found.key)
    if action in {"pin", "unpin"}:
        set_image_pinned(image=found, actor=user, pinned=action == "pin")
        return f"{name} is pinned." if action == "pin" else f"{name} is no longer pinned."
    order = [image.pk for image in all_pins()]
    place = order.index(found.pk) if found.pk in order else 0
    to = {"first": 0, "up": max(0, place - 1), "down": place + 1}.get(action)
    if to is None:
        raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")
    move_pin(image=found, actor=user, to=to)
    return f"{name} is number {min(to, len(order) - 1) + 1} of {len(order)} now."
