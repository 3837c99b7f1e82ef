"""Telling the people of a cohort what became of a delivery, who asks for publication, and what others took back."""

from __future__ import annotations

from collections.abc import Iterable

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.provenance.enums import DeliveryState, Outcome
from medtheca.domains.provenance.models import Cohort, Delivery
from medtheca.domains.provenance.queries import summarise_delivery

_WORDS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.LINKED: "accepted and linked",
    Outcome.DUPLICATE: "with a name that is taken",
    Outcome.REFUSED: "refused",
    Outcome.SKIPPED: "skipped",
}


def people_with(cohort: Cohort, *roles: Role) -> list[int]:
    """Ids of the people who have one of the roles in a cohort, by itself or through its contributor."""
    scopes = [cohort.scope_id, cohort.contributor.scope_id]
    rows = Membership.objects.filter(scope__in=scopes, role__in=roles, user__is_active=True)
    return sorted(set(rows.values_list("user", flat=True)))


def judges_of(cohort: Cohort) -> list[int]:
    """Ids of the people who decide on publication: the cohort's reviewers, and the staff where it has none."""
    # Owning a cohort is no licence to judge it.
    owners = people_with(cohort, Role.OWNER)
    reviewers = [pk for pk in people_with(cohort, Role.REVIEWER) if pk not in owners]
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk")
    return reviewers or list(staff.values_list("pk", flat=True))


def tell_of_taking_back(cohort: Cohort, *, actor_id: int, withdrawn: bool) -> None:
    """Tell the other owners that images were taken back, in the transaction that does it or asks for it."""
    done = "withdrawn" if withdrawn else "made private again"
    notify(
        recipient_ids=[pk for pk in people_with(cohort, Role.OWNER) if pk != actor_id],
        kind="publication.withdrawn",
        words=f"Images of the cohort {cohort.name} were {done}. Its activity says which, by whom and why.",
        url=f"/cohorts/{cohort.pk}/activity/",
        subject_type="cohort",
        subject_id=cohort.pk,
        cohort_id=cohort.pk,
    )


def tell_of_deliveries(deliveries: Iterable[Delivery]) -> None:
    """Tell of deliveries that have ended, in the transaction that ended them. Files are counted, never named."""
    for delivery in deliveries:
        if delivery.replaces_id is not None:
            continue  # Of a replaced file its own story tells.
        words = f"{_summary(delivery)}, in the cohort {delivery.cohort.name}."
        uploader = delivery.upload.owner_id
        _notify(delivery, "delivery.done", [uploader], words)
        owners = [pk for pk in people_with(delivery.cohort, Role.OWNER) if pk != uploader]
        _notify(delivery, "delivery.done_for_owners", owners, words)


def _notify(delivery: Delivery, kind: str, recipient_ids: list[int], words: str) -> None:
    notify(
        recipient_ids=recipient_ids,
        kind=kind,
        words=words,
        url=f"/uploads/{delivery.pk}/",
        subject_type="upload",
        subject_id=delivery.pk,
        cohort_id=delivery.cohort_id,
    )


def _summary(delivery: Delivery) -> str:
    """Such as "212 accepted, 3 refused, 5 skipped"."""
    summary = summarise_delivery(delivery)
    counts = [(getattr(summary, outcome.value), words) for outcome, words in _WORDS.items()]
    told = ", ".join(f"{number:,} {words}" for number, words in counts if number)
    if delivery.state == DeliveryState.REFUSED:
        # Its reason may name the file, so it stands on the page alone.
        return f"An upload could not be taken in{f' to its end ({told})' if told else ''}"
    return told or "An upload without files"
