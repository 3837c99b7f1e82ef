"""Settling how the items of an archive are shown."""

import pytest
from django.urls import reverse

from medtheca.domains.viewing.models import HangingProtocol, ViewerConfiguration
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def archive(alice):
    return make_archive(alice, uploaders=[make_user("una")])


@pytest.fixture
def protocol(alice):
    return HangingProtocol.objects.create(
        title="Two", slug="two", creator=alice, json=[{"viewport_name": "main"}, {"viewport_name": "secondary"}]
    )


def post(client, archive, **fields):
    return client.post(reverse("archive_viewing", args=[archive.slug]), fields)


def test_a_protocol_first_and_then_what_goes_into_its_viewports(client, alice, archive, protocol):
    client.force_login(alice)
    image, score = image_socket(), make_socket()
    configuration = ViewerConfiguration.objects.first()
    assert post(client, archive, hanging_protocol=protocol.pk, configuration=configuration.pk).status_code == 302
    page = client.get(reverse("archive_viewing", args=[archive.slug])).content.decode()
    assert "secondary" in page
    chosen = {"hanging_protocol": protocol.pk, "configuration": configuration.pk}
    filled = {"content-main-0": image.slug, "content-main-1": score.slug, "content-secondary-0": image.slug}
    assert post(client, archive, **chosen, **filled).status_code == 302
    archive.refresh_from_db()
    assert archive.hanging_protocol == protocol
    assert archive.view_content == {"main": [image.slug, score.slug], "secondary": [image.slug]}


def test_what_does_not_fit_is_told_and_kept(client, alice, archive, protocol):
    client.force_login(alice)
    post(client, archive, hanging_protocol=protocol.pk)
    answer = post(client, archive, hanging_protocol=protocol.pk, **{"content-main-0": image_socket().slug})
    assert answer.status_code == 200
    assert "secondary" in answer.content.decode()
    archive.refresh_from_db()
    assert archive.view_content == {}


def test_another_protocol_begins_with_empty_viewports(client, alice, archive, protocol):
    client.force_login(alice)
    slug = image_socket().slug
    post(client, archive, hanging_protocol=protocol.pk)
    post(client, archive, hanging_protocol=protocol.pk, **{"content-main-0": slug, "content-secondary-0": slug})
    archive.refresh_from_db()
    assert archive.view_content != {}
    assert post(client, archive, hanging_protocol="").status_code == 302
    archive.refresh_from_db()
    assert (archive.hanging_protocol, archive.view_content) == (None, {})


def test_the_archives_sockets_and_everybodys(client, alice, archive):
    client.force_login(alice)
    make_socket("Own score", scope=archive.scope, creator=alice)
    page = client.get(reverse("archive_sockets", args=[archive.slug])).content.decode()
    assert page.index("own-score") < page.index("generic-medical-image")
    assert f"?archive={archive.slug}" in page
