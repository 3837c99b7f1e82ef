"""Lists, counts and single images agree with each other and with the rule in words, in worlds made at random."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.access.queries import count_visible, viewer_of, visible_images
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_session, make_image, nobody, walk

OPENS = {"none": None, "over": timedelta(days=-1), "to come": timedelta(days=1)}
IMAGES = st.lists(
    st.fixed_dictionaries(
        {
            "owner": st.sampled_from(["alice", "bob"]),
            "visibility": st.sampled_from(list(Visibility)),
            "embargo": st.sampled_from(list(OPENS)),
            "withdrawn": st.booleans(),
            "sex": st.sampled_from(["male", "female", None]),
        }
    ),
    max_size=6,
)


def may_see(person, image):
    """The rule in words: owners and staff always; others where it is shown to them, not withdrawn, not held back.

    Charlie is in the one group.
    """
    if person in {"sam", image["owner"]}:
        return True
    circle = shown_to(image)
    if circle is Visibility.GROUPS:
        return person == "charlie"
    return circle is Visibility.PUBLIC or (circle is Visibility.SIGNED_IN and person is not None)


def shown_to(image):
    """How wide the circle is that sees an image now."""
    return Visibility.PRIVATE if image["withdrawn"] or image["embargo"] == "to come" else image["visibility"]


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    # A world of six images is small enough to read as it is; making it smaller takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(images=IMAGES)
def test_everybody_lists_counts_and_opens_the_same_images(images):
    with transaction.atomic():
        people = {name: make_user(name) for name in ("alice", "bob", "charlie", "sam")}
        cohorts = {name: make_cohort(people[name], name=name) for name in ("alice", "bob")}
        group = create_group(creator=people["charlie"], name="Readers")
        made = []
        for wanted in images:
            opens = OPENS[wanted["embargo"]]
            image = make_image(
                cohorts[wanted["owner"]],
                visibility=wanted["visibility"],
                opens=now() + opens if opens else None,
                structured={"sex": wanted["sex"]} if wanted["sex"] else {},
                groups=[group],
            )
            if wanted["withdrawn"]:
                withdraw_image(image=image, reason="Consent withdrawn.", user=people["sam"])
            made.append((image, wanted))
        for person in (None, *people):
            user = people.get(person)
            caller = by_session(user) if user else nobody()
            expected = [
                (image.public_id or str(image.key), shown_to(wanted).value)
                for image, wanted in made
                if may_see(person, wanted)
            ]
            assert [(row["isic_id"], row["visibility"]) for row in walk(caller, "images/?limit=2")] == expected
            assert len(expected) == count_visible(viewer_of(user)) == visible_images(viewer_of(user)).count()
            males = [wanted for _, wanted in made if may_see(person, wanted) and wanted["sex"] == "male"]
            assert len(walk(caller, "images/?sex=male&limit=1")) == len(males)
            for image, wanted in made:
                status = 200 if may_see(person, wanted) else 404
                assert caller.get(f"images/{image.key}/").status_code == status
        transaction.set_rollback(True)
