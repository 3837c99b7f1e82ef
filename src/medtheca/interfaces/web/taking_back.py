"""Taking back many published images of a cohort."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.queries import cohort_for
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.publish_forms import WITHDRAW, TakeBackForm
from medtheca.interfaces.web.publishing import MOST_TO_CHOOSE
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.workflows.taking_back import published_images, take_back_many


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Choose published images of a cohort, say why, and make them private again or withdraw them."""
    user = signed_in(request)
    cohort = cohort_for(user, cohort_id)
    require_owner(user, cohort, to="take back its images")
    published = published_images(cohort)
    number, listed = published.count(), list(published[:MOST_TO_CHOOSE])
    form = TakeBackForm(request.POST or None, accession_ids=[row.pk for row in listed], number=number)
    if form.is_valid():
        withdraw = form.cleaned_data["how"] == WITHDRAW
        try:
            done = take_back_many(
                cohort=cohort,
                user=user,
                reason=form.cleaned_data["reason"],
                withdraw=withdraw,
                accession_ids=form.chosen(),
            )
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            became = "withdrawn" if withdraw else "private again"
            words = (
                f"{done.done:,} images are {became}." if done.done else f"{done.under_way:,} images become {became}."
            )
            messages.success(request, f"{words} Pages, files and APIs refuse them within a minute.")
            return redirect("cohort", cohort.pk)
    context = {
        "form": form,
        "cohort": {"name": cohort.name, "url": reverse("cohort", args=[cohort.pk])},
        "number": number,
        "most": MOST_TO_CHOOSE,
        "tiles": tiles_of([row.image for row in listed if row.image is not None], asker=request.user),
        "chosen": set(request.POST.getlist("accessions")),
        "cancel_url": reverse("cohort", args=[cohort.pk]),
    }
    return render(request, "pages/take_back_many.html", context)
