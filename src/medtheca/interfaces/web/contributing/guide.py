"""What should I use? Cohort, collection, archive in plain words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """What each thing is for, with an example, and which of them are there."""
    context = {"create_url": reverse("cohort_create"), "gallery_url": reverse("gallery")}
    return render(request, "pages/guide.html", context)
