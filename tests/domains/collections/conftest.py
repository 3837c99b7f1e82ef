"""Alice and her images, and people. Imports are inside: a conftest is read before Django is set up."""

import pytest


@pytest.fixture
def alice():
    from tests.factories.accounts import make_user

    return make_user("alice")


@pytest.fixture
def bob():
    from tests.factories.accounts import make_user

    return make_user("bob")


@pytest.fixture
def charlie():
    from tests.factories.accounts import make_user

    return make_user("charlie")


@pytest.fixture
def sam():
    from tests.factories.accounts import make_user

    return make_user("sam")


@pytest.fixture
def cohort(alice):
    from tests.factories.provenance import make_cohort

    return make_cohort(alice)


@pytest.fixture
def public(cohort):
    from tests.factories.images import make_images

    return make_images(cohort, 3, visibility="public")


@pytest.fixture
def private(cohort):
    from tests.factories.images import make_images

    return make_images(cohort, 2)
