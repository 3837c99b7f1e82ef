"""Addresses of the account pages; those of log-in and sign-up are allauth's."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.accounts import agreements, leaving, sessions, taking, verification, views
from medtheca.interfaces.web.errors import page

urlpatterns = [
    path("terms/", page(agreements.terms), name="terms"),
    path("privacy/", page(agreements.privacy), name="privacy"),
    path("account/", views.account, name="account"),
    path("account/delete/", page(leaving.delete_account), name="delete_account"),
    path("account/exports/", page(taking.exports), name="exports"),
    path("account/exports/<uuid:export_id>.zip", page(taking.export_file), name="export_file"),
    path("account/terms/", page(agreements.accept), name="accept_terms"),
    path("account/sessions/", page(sessions.sessions), name="sessions"),
    path("account/sessions/end/", page(sessions.sessions_end), name="sessions_end"),
    path("account/sessions/<int:session_id>/end/", page(sessions.session_end), name="session_end"),
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.token_revoke, name="token_revoke"),
    path("account/verification/", page(verification.verification), name="verification"),
    path("account/verification/<str:secret>/", page(verification.verification_confirm), name="verification_confirm"),
    path("mailbox/", views.mailbox, name="mailbox"),
]
