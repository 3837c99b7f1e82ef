import os
from datetime import timedelta

import pytest

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Delivery
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.receive import begin_delivery
from medtheca.workflows.upkeep import keep_up
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes, use_data_folder


@pytest.mark.django_db(transaction=True)
def test_an_upload_given_up_ends_with_words_and_without_bytes(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data", disk_reserve=2)
    make_wide_scopes()
    alice = User.objects.create_user("alice@example.org")
    cohort = make_cohort(alice)
    old, young = (begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.zip", size=9) for _ in range(2))
    Upload.objects.filter(pk=old.pk).update(modified=old.modified - timedelta(days=8))
    os.utime(part_path(old.pk), (1, 1))
    assert keep_up().uploads_expired == 1
    delivery = Delivery.objects.get(pk=old.pk)
    assert (delivery.state, delivery.refusal_code) == ("refused", "expired")
    assert "for 7 days" in delivery.refusal
    assert not part_path(old.pk).exists()
    assert Delivery.objects.get(pk=young.pk).state == "arriving"
    assert part_path(young.pk).exists()
    assert keep_up().uploads_expired == 0
    assert (tmp_path / "data" / "reserve").stat().st_size == 1
    blob_store.cache_clear()
