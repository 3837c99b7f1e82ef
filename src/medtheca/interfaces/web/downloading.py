"""Downloads: what would be in one, and one with its addresses and the lines to fetch it by."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.collections.queries import collection_for
from medtheca.domains.downloads.errors import Changed
from medtheca.domains.downloads.operations import MOST_OPEN, delete_download
from medtheca.domains.downloads.queries import attribution_in, download_for, downloads_of
from medtheca.interfaces.http.download_urls import download_ticket, zip_url
from medtheca.interfaces.http.limits import require_turn_to_download
from medtheca.interfaces.http.refusals import TooOften
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.searching import read_search
from medtheca.workflows.downloading import make_download, preview_download

if TYPE_CHECKING:
    from medtheca.domains.downloads.models import Download

_MOST_NAMED = 500
"""As many images as an address may name."""
_LISTS = (
    ("aria2", "aria2", "aria2.txt", "For aria2c, which fetches several at a time and checks every file"),
    ("wget", "wget", "wget.txt", "Addresses, one a line"),
    ("csv", "CSV", "csv", "Path, size, SHA-256 and address of every file"),
    ("json", "JSON", "json", "The same for programs"),
)


@require_http_methods(["GET", "HEAD", "POST"])
def download_new(request: HttpRequest) -> HttpResponse:
    """What a download would have of each `?image=`, of a `?collection=`, or of the search in the address; then make it.

    For whoever looks, logged in or not.
    """
    user = person(request.user)
    wanted, about = _wanted(request)
    error, status, wait = "", 200, 0
    if request.method == "POST":
        try:
            require_turn_to_download(request, user.pk if user else None)
            return redirect("download", make_download(asker=user, **wanted).pk)
        except TooOften as refusal:
            error, status, wait = f"{refusal.message} {refusal.remedy}".strip(), 429, refusal.wait
        except (Conflict, Invalid) as refusal:
            error, status = in_words(refusal), 409
    preview = preview_download(asker=user, **wanted)
    context = {"preview": preview, "error": error, "hours": -(-wait // 3600), **about}
    response = render(request, "pages/downloads/new.html", context, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


@require_safe
def download(request: HttpRequest, download_id: UUID) -> HttpResponse:
    """A download: being prepared, then its link. The page renews itself until then.

    Where one of its images is not there any more, 410, and nothing of what was in it.
    """
    user = person(request.user)
    found = download_for(user, download_id)
    try:
        attribution = attribution_in(found)
    except Changed:
        # Where the page renews itself, HTMX would go on asking after a 410.
        status = 200 if request.headers.get("HX-Request") else 410
        return render(request, "pages/downloads/gone.html", {"own": user is not None}, status=status)
    site = _site(request)
    url = site + zip_url(found.pk, found.name, _ticket(found))
    context = {
        "download": found,
        "url": url,
        "zip": f"{found.name}.zip",
        "lines": _lines(url, f"{found.name}.zip"),
        "lists": [
            {
                "label": label,
                "url": f"/api/v2/manifests/{found.pk}/?format={name}",
                "file": f"{found.name}.{ending}",
                "words": words,
            }
            for name, label, ending, words in _LISTS
        ],
        "list_lines": _list_lines(found.name),
        "attribution": attribution,
        "is_waiting": found.state == "preparing",
        "own": user is not None,
    }
    return render(request, "pages/downloads/show.html", context)


@login_required
@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    """A person's downloads that have not expired."""
    context = {"downloads": downloads_of(signed_in(request)), "most": MOST_OPEN}
    return render(request, "pages/downloads/list.html", context)


@login_required
@require_POST
def download_delete(request: HttpRequest, download_id: UUID) -> HttpResponse:
    """Let a download of one's own end before its time."""
    delete_download(download_for(signed_in(request), download_id, own=True))
    messages.success(request, "The download was deleted; its addresses do not work any more.")
    return redirect("downloads")


def _wanted(request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is asked for, as the workflow takes it, and as the page says it."""
    if refs := list(dict.fromkeys(filter(None, request.GET.getlist("image")))):
        if len(refs) > _MOST_NAMED:
            words = f"At most {_MOST_NAMED} images can be chosen one by one."
            raise Invalid(words, remedy="Download all of a search instead.")
        what = "The image that was chosen" if len(refs) == 1 else "The images that were chosen"
        return {"refs": refs}, {"what": what, "back_url": reverse("gallery"), "query": ""}
    key = request.GET.get("collection", "")
    if key.isascii() and key.isdecimal() and len(key) < 19:
        kept = collection_for(request.user, int(key))
        url = reverse("collection", args=[kept.pk])
        return {"collection_ids": [kept.pk]}, {"what": kept.name, "back_url": url, "query": ""}
    search = read_search(request)
    what = "What the search finds now" if search.text else "All images"
    return {"tree": search.tree}, {"what": what, "back_url": search.address(), "query": search.text}


def _ticket(found: Download) -> str:
    return download_ticket(found.pk, owner_id=found.owner_id, expires=found.expires, now=now())


def _site(request: HttpRequest) -> str:
    parts = urlsplit(request.build_absolute_uri("/"))
    return f"{parts.scheme}://{parts.netloc}"


def _lines(url: str, name: str) -> list[dict[str, str]]:
    """Ways to fetch one file that go on where they were cut off."""
    address, file = shlex.quote(url), shlex.quote(name)
    return [
        {"label": "curl", "text": f"curl --fail -C - -o {file} {address}"},
        {"label": "wget", "text": f"wget --continue -O {file} {address}"},
        {"label": "aria2c", "text": f"aria2c --continue=true --out={file} {address}"},
    ]


def _list_lines(name: str) -> list[dict[str, str]]:
    aria2, wget = shlex.quote(f"{name}.aria2.txt"), shlex.quote(f"{name}.wget.txt")
    folder = shlex.quote(name)
    return [
        {"label": "aria2c", "text": f"aria2c --continue=true --dir={folder} --input-file={aria2}"},
        {
            "label": "wget",
            "text": f"wget --continue --content-disposition --directory-prefix={folder} --input-file={wget}",
        },
    ]
