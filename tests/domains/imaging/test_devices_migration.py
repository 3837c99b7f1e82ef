"""Facts that were kept as the header has them, before makers and models were looked at."""

from importlib import import_module

import pytest
from django.apps import apps

from medtheca.domains.imaging.models import Image
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def test_what_is_not_known_is_no_fact_any_more():
    first, second, third = make_images(make_cohort(make_user("alice")), 3)
    told = {
        first: {"modality": "MR", "manufacturer": "SIEMENS", "model": "Skyra of Mary Canary"},
        second: {"manufacturer": "SIEMENS", "model": "Skyra"},
        third: {},
    }
    for image, facts in told.items():
        Image.objects.filter(pk=image.pk).update(facts=facts)
    migration = import_module("medtheca.domains.imaging.migrations.0006_devices_that_are_known")
    for _ in range(2):
        migration.look_again(apps, None)
        assert Image.objects.get(pk=first.pk).facts == {
            "modality": "MR",
            "manufacturer": "SIEMENS",
            "stated": ["Skyra of Mary Canary"],
        }
        assert Image.objects.get(pk=second.pk).facts == told[second]
        assert Image.objects.get(pk=third.pk).facts == {}
