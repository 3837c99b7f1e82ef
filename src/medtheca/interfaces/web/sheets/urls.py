"""Addresses of spreadsheets, and of correcting one image."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.sheets import columns, correcting, files, names, previews, problems

urlpatterns = [
    path("cohorts/<int:cohort_id>/metadata/", page(files.metadata_upload), name="metadata_upload"),
    path("cohorts/<int:cohort_id>/metadata-files/", page(files.metadata_files), name="metadata_files"),
    path("metadata-files/<int:file_id>/", page(files.metadata_file), name="metadata_file"),
    path("metadata-files/<int:file_id>/columns/", page(columns.metadata_columns), name="metadata_columns"),
    path("metadata-files/<int:file_id>/names/", page(names.metadata_names), name="metadata_names"),
    path("metadata-files/<int:file_id>/problems/", page(problems.metadata_problems), name="metadata_problems"),
    path("metadata-files/<int:file_id>/errors.csv", page(files.metadata_errors), name="metadata_errors"),
    path("metadata-files/<int:file_id>/preview/", page(previews.metadata_preview), name="metadata_preview"),
    path("metadata-files/<int:file_id>/check/", page(files.metadata_check), name="metadata_check"),
    path("metadata-files/<int:file_id>/apply/", page(files.metadata_apply), name="metadata_apply"),
    path("metadata-files/<int:file_id>/undo/", page(files.metadata_undo), name="metadata_undo"),
    path("metadata-files/<int:file_id>/discard/", page(files.metadata_discard), name="metadata_discard"),
    path("metadata-template.csv", page(files.metadata_template), name="metadata_template"),
    path("images/<str:ref>/correct/", page(correcting.image_correct), name="image_correct"),
]
