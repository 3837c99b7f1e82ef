"""Addresses of contributors, cohorts' settings, invitations and the guide."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.contributing import cohorts, contributors, guide, people
from medtheca.interfaces.web.errors import page

urlpatterns = [
    path("contributors/", page(contributors.contributors), name="contributors"),
    path("contributors/<int:contributor_id>/", page(contributors.contributor), name="contributor"),
    path("contributors/<int:contributor_id>/edit/", page(contributors.contributor_edit), name="contributor_edit"),
    path("contributors/<int:contributor_id>/people/", page(people.contributor_people), name="contributor_people"),
    path("contributors/<int:contributor_id>/agreement/", page(contributors.agreement), name="contributor_agreement"),
    path("cohorts/<int:cohort_id>/edit/", page(cohorts.cohort_edit), name="cohort_edit"),
    path("cohorts/<int:cohort_id>/people/", page(people.cohort_people), name="cohort_people"),
    path("cohorts/<int:cohort_id>/attest/", page(contributors.attestation), name="cohort_attest"),
    path("cohorts/<int:cohort_id>/move/", page(cohorts.cohort_move), name="cohort_move"),
    path("cohorts/<int:cohort_id>/merge/", page(cohorts.cohort_merge), name="cohort_merge"),
    path("cohorts/<int:cohort_id>/licence/", page(cohorts.cohort_licence), name="cohort_licence"),
    path("invitations/<str:secret>/", page(people.invitation), name="invitation"),
    path("guide/", page(guide.guide), name="guide"),
]
