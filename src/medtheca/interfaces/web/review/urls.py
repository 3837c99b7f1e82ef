"""Addresses of review, submissions and redaction."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.review import copies, duplicates, queue, redaction, submission

urlpatterns = [
    path("review/", page(queue.queue), name="review_queue"),
    path("review/<int:cohort_id>/", page(queue.gallery), name="review_cohort"),
    path("review/<int:cohort_id>/decide/", page(queue.decide), name="review_decide"),
    path("review/<int:cohort_id>/undo/", page(queue.undo), name="review_undo"),
    path("review/<int:cohort_id>/<int:accession_id>/", page(queue.panel), name="review_panel"),
    path("cohorts/<int:cohort_id>/duplicates/", page(duplicates.cohort_duplicates), name="cohort_duplicates"),
    path("accessions/<int:accession_id>/", page(submission.accession), name="accession"),
    path("accessions/<int:accession_id>/deidentified/", page(copies.ask), name="accession_copy"),
    path("accessions/<int:accession_id>/deidentified/file/", page(copies.download), name="accession_copy_file"),
    path("accessions/<int:accession_id>/redact/", page(redaction.accession_redact), name="accession_redact"),
]
