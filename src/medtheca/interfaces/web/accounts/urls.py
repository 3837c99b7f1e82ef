"""Addresses of the account pages; those of log-in and sign-up are allauth's."""

from __future__ import annotations

from django.urls import path

from medtheca.interfaces.web.accounts import views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.token_revoke, name="token_revoke"),
    path("mailbox/", views.mailbox, name="mailbox"),
]
