"""Accounts: log-in, addresses, tokens."""

from tests.interfaces.matrix import Row, cells, everybody, people

ROWS = [
    people("account/"),
    people("account/tokens/"),
    people("account/tokens/<int:token_id>/revoke/", 404, address="account/tokens/1/revoke/", method="POST"),
    Row("GET", "accounts/login/", cells(200, *(302,) * 6)),
    Row("GET", "accounts/signup/", cells(200, *(302,) * 6)),
    Row("GET", "accounts/logout/", cells(302, *(200,) * 6)),
    everybody("accounts/inactive/"),
    people("accounts/reauthenticate/"),
    people("accounts/email/"),
    everybody("accounts/confirm-email/"),
    people("accounts/password/change/"),
    people("accounts/password/set/", 302),
    everybody("accounts/password/reset/"),
    everybody("accounts/login/code/confirm/", 302),
    everybody(r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", address="accounts/confirm-email/x/"),
    everybody("accounts/password/reset/key/done/"),
    everybody(
        "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        address="accounts/password/reset/key/1-x/",
    ),
    everybody("accounts/password/reset/done/"),
]
