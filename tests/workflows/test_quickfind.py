"""Going somewhere by a few letters: names of files are looked for in an index, in any archive's size."""

import pytest
from django.db import connection

from medtheca.domains.provenance.models import Accession
from medtheca.workflows.quickfind import called, quickfind
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def test_names_are_found_by_their_index():
    alice = make_user("alice")
    make_images(make_cohort(alice), 2, names=["IMAGE_1.jpg", "image 2.jpg"])
    assert sorted(found.title for found in quickfind(alice, "image")) == ["IMAGE_1.jpg", "image 2.jpg"]
    with connection.cursor() as cursor:
        # Of two rows a plan through an index costs more than reading them; what matters is that it can be taken.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = called(Accession.objects.all(), "image").explain()
    assert "accession_sought_by_name" in plan, plan
    assert "Index Cond" in plan.partition("accession_sought_by_name")[2].splitlines()[1], plan
