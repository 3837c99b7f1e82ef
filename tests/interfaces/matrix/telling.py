"""Notifications, preferences, activity, work under way. The notification asked for is Alice's."""

from medtheca.domains.ledger.inbox import notifications_of
from medtheca.domains.ledger.notifying import notify
from medtheca.workflows.unsubscribing import link_path
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, members, people, staff

_HER_OWN = cells(LOGIN, 404, 404, 404, 302, 404, 404)

ROWS = [
    people("notifications/"),
    people("notifications/bell/"),
    people("notifications/under-way/"),
    people("notifications/read/", 302, method="POST"),
    Row("GET", "notifications/<int:notification_id>/", _HER_OWN, "notifications/{notification}/"),
    people("account/notifications/"),
    people("account/notifications/", 302, method="POST", data={"delivery.done": "page"}),
    everybody("unsubscribe/<str:token>/", address="{unsubscribe}"),
    everybody("unsubscribe/<str:token>/", method="POST", address="{unsubscribe}"),
    everybody("unsubscribe/<str:token>/", 400, address="unsubscribe/forged/"),
    everybody("unsubscribe/<str:token>/", 400, method="POST", address="unsubscribe/forged/"),
    members("cohorts/<int:cohort_id>/activity/", address="cohorts/{cohort}/activity/"),
    members("cohorts/<int:cohort_id>/activity/", address="cohorts/{cohort}/activity/?format=csv"),
    members("images/<str:ref>/activity/", address="images/{public}/activity/"),
    members("images/<str:ref>/activity/", address="images/{private}/activity/"),
    staff("activity/", refused=403),
    members("api/v2/cohorts/<int:cohort_id>/events/", address="api/v2/cohorts/{cohort}/events/"),
    members("api/v2/images/<isic_id>/events/", address="api/v2/images/{public}/events/"),
    members("api/v2/images/<isic_id>/events/", address="api/v2/images/{private}/events/"),
    people("api/v2/under-way/"),
    people("api/v2/notifications/"),
    people("api/v2/notifications/", method="PATCH", data={"read": True}),
    people("api/v2/notifications/preferences/"),
    people("api/v2/notifications/preferences/", method="PATCH", data={"channels": {"delivery.done": "page"}}),
]


def prepare(world):
    alice = world.people["alice"].pk
    notify(recipient_ids=[alice], kind="delivery.done", words="1 accepted.", url="/uploads/")
    world.names["notification"] = notifications_of(alice).first().pk
    world.names["unsubscribe"] = link_path(recipient_id=alice, kinds=["delivery.done"]).strip("/") + "/"
