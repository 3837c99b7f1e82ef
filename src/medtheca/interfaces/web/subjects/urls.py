"""Addresses of patients, lesions and erasures."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.subjects import erasures, lesions, patients

urlpatterns = [
    path("patients/", page(patients.patients), name="patients"),
    path("patients/<str:public_id>/", page(patients.patient), name="patient"),
    path("lesions/", page(lesions.lesions), name="lesions"),
    path("lesions/<str:public_id>/", page(lesions.lesion), name="lesion"),
    path("erasures/", page(erasures.erasures), name="erasures"),
    path("erasures/new/", page(erasures.erasure_new), name="erasure_new"),
    path("erasures/<uuid:erasure_id>/", page(erasures.erasure), name="erasure"),
    path("erasures/<uuid:erasure_id>/confirm/", page(erasures.erasure_confirm), name="erasure_confirm"),
    path("erasures/<uuid:erasure_id>/decline/", page(erasures.erasure_decline), name="erasure_decline"),
    path("erasures/<uuid:erasure_id>/receipt.json", page(erasures.erasure_receipt), name="erasure_receipt"),
]
