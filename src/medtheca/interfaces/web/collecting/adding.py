"""Adding to a collection: one image from its page, some that were chosen, or all of a search from the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.collections.contents import MOST_AT_ONCE
from medtheca.domains.collections.queries import collection_for, collections_of
from medtheca.domains.search.queries import image_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.collecting.forms import NEW, AddForm
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.searching import read_search
from medtheca.interfaces.web.tiles import image_url
from medtheca.workflows.collecting import add_all_found, add_all_named

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection

_MOST_OFFERED = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def collection_add(request: HttpRequest) -> HttpResponse:
    """Choose a collection, or a new one, for each `?image=`, or for what the gallery's search in the address finds."""
    user = signed_in(request)
    refs = list(dict.fromkeys(filter(None, request.GET.getlist("image"))))
    if len(refs) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} images can be chosen one by one.", remedy="Add all of a search instead.")
    image = image_for(user, refs[0]) if len(refs) == 1 else None
    if image is not None:
        refs = [image.public_id or str(image.key)]
    offered = collections_of(user).filter(locked=False)[:_MOST_OFFERED]
    form = AddForm(request.POST or None, collections=offered)
    if form.is_valid():
        try:
            into = _chosen(form, user)
            chosen, words = _add_named(into, user, refs) if refs else _add_found(request, into, user)
        except (Conflict, Invalid, NotAllowed) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, words)
            return redirect("collection", chosen.pk)
    if image is not None:
        number, back, what = 1, image_url(image), refs[0]
    elif refs:
        number, back, what = len(refs), reverse("gallery"), f"the {len(refs):,} images that were chosen"
    else:
        # Counted for the form alone: adding takes as long as it takes.
        search = read_search(request)
        number, back = search.count(), search.address()
        what = f"all {number:,} images that were found"
    context = {
        "form": form,
        "heading": "Add to a collection",
        "lead": f"Adds {what}. Whoever may see the collection sees those of its images that they may see.",
        "action": "Add the image" if len(refs) == 1 else f"Add {number:,} images",
        "cancel_url": back,
        "crumbs": [{"label": "Collections", "url": reverse("collections")}, {"label": "Add", "url": None}],
    }
    return render(request, "pages/form_page.html", context)


def _chosen(form: AddForm, user: User) -> Collection | str:
    """The collection that was chosen, or the name of a new one."""
    if form.cleaned_data["collection"] == NEW:
        return str(form.cleaned_data["name"])
    return collection_for(user, int(form.cleaned_data["collection"]))


def _add_named(into: Collection | str, user: User, refs: list[str]) -> tuple[Collection, str]:
    chosen, fresh = add_all_named(into=into, actor=user, refs=refs)
    if len(refs) > 1:
        return chosen, f"{fresh:,} images are new in {chosen.name}; {len(refs) - fresh:,} were in it already."
    return chosen, f"{refs[0]} is in {chosen.name}." if fresh else f"{refs[0]} was in {chosen.name} already."


def _add_found(request: HttpRequest, into: Collection | str, user: User) -> tuple[Collection, str]:
    chosen, batch = add_all_found(into=into, actor=user, query=read_search(request).tree)
    return chosen, f"{batch.total:,} images are being added to {chosen.name}."
