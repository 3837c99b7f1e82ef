"""Writing contributors, cohorts, deliveries and accessions."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.base.jobs import enqueue
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.operations import add_member, create_scope, remove_member
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_editor, require_owner, require_uploader
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, Outcome
from medtheca.domains.provenance.fields import licence_problems, required, unstorable
from medtheca.domains.provenance.models import Accession, Cohort, Contributor, Delivery, HeldFile, Verdict
from medtheca.domains.provenance.telling import tell_of_deliveries
from medtheca.domains.storage.models import Upload


def create_contributor(
    *,
    creator: User,
    institution_name: str,
    institution_url: str = "",
    legal_contact_info: str = "",
    default_licence: str = "",
    default_attribution: str = "",
) -> Contributor:
    """Make a contributor; its creator becomes its first owner.

    Anybody who can log in may. Raises `NotAllowed` for a disabled user, or `Invalid`.
    """
    if not creator.is_active:
        raise NotAllowed("A disabled user cannot make a contributor.", remedy="Ask staff to enable the user.")
    problems = required(institution_name=institution_name)
    problems += unstorable(
        Contributor,
        institution_name=institution_name.strip(),
        institution_url=institution_url,
        legal_contact_info=legal_contact_info,
        default_attribution=default_attribution.strip(),
    )
    if default_licence:
        problems += licence_problems("default_licence", default_licence)
    if problems:
        raise Invalid("The contributor cannot be made.", problems=problems)
    with transaction.atomic():
        scope = create_scope(kind=ScopeKind.CONTRIBUTOR, name=institution_name)
        contributor = Contributor.objects.create(
            institution_name=institution_name.strip(),
            institution_url=institution_url,
            legal_contact_info=legal_contact_info,
            default_licence=default_licence,
            default_attribution=default_attribution.strip(),
            creator=creator,
            scope=scope,
        )
        add_member(scope=scope, user=creator, role=Role.OWNER)
        record(actor_id=creator.pk, verb="contributor.created", subject_type="contributor", subject_id=contributor.pk)
    return contributor


def create_cohort(
    *, contributor: Contributor, creator: User, name: str, licence: str, attribution: str, description: str = ""
) -> Cohort:
    """Make a cohort of a contributor. Raises `NotAllowed`, `Invalid`, or `Conflict` where the name is taken."""
    require_owner(creator, contributor, to="make a cohort")
    problems = required(name=name, attribution=attribution) + licence_problems("licence", licence)
    problems += unstorable(Cohort, name=name.strip(), attribution=attribution.strip(), description=description)
    if problems:
        raise Invalid("The cohort cannot be made.", problems=problems)
    try:
        with transaction.atomic():
            cohort = Cohort.objects.create(
                contributor=contributor,
                creator=creator,
                name=name.strip(),
                description=description,
                licence=licence,
                attribution=attribution.strip(),
                scope=create_scope(kind=ScopeKind.COHORT, name=name),
            )
            record(
                actor_id=creator.pk,
                verb="cohort.created",
                subject_type="cohort",
                subject_id=cohort.pk,
                cohort_id=cohort.pk,
            )
    except IntegrityError as error:
        raise Conflict(
            f"The contributor has a cohort named {name.strip()} already.", remedy="Choose another name."
        ) from error
    return cohort


def add_owner(*, contributor: Contributor, user: User, actor: User) -> None:
    """Make a person an owner of a contributor. Raises `NotAllowed`, or `Conflict` for a disabled user."""
    require_owner(actor, contributor, to="add owners")
    if not user.is_active:
        raise Conflict(f"{user.email} is disabled.", remedy="Ask staff to enable the user first.")
    with transaction.atomic():
        add_member(scope=contributor.scope, user=user, role=Role.OWNER)
        record(
            actor_id=actor.pk,
            verb="contributor.owner_added",
            subject_type="contributor",
            subject_id=contributor.pk,
            details={"user": user.pk},
        )


def remove_owner(*, contributor: Contributor, user: User, actor: User) -> None:
    """Take a person's ownership away. Raises `NotAllowed`, `NotFound` for no member, `Conflict` for the last owner."""
    require_owner(actor, contributor, to="remove owners")
    with transaction.atomic():
        remove_member(scope=contributor.scope, user=user)
        record(
            actor_id=actor.pk,
            verb="contributor.owner_removed",
            subject_type="contributor",
            subject_id=contributor.pk,
            details={"user": user.pk},
        )


def open_delivery(
    *, upload: Upload, cohort: Cohort, actor: User, replaces: Accession | None = None, reason: str = ""
) -> Delivery:
    """Give an upload to a cohort, or let it replace the file of an accession there. Raises `NotAllowed`."""
    if replaces is None:
        require_uploader(actor, cohort)
    else:
        require_editor(actor, cohort, to="replace files of this cohort")
    return Delivery.objects.create(upload=upload, cohort=cohort, replaces=replaces, reason=reason)


def refuse_delivery(*, delivery: Delivery, code: str, words: str, remedy: str) -> bool:
    """End a delivery that cannot be read at all, with a reason; files that have a verdict keep it.

    False where it had ended already.
    """
    open_ones = Delivery.objects.filter(pk=delivery.pk).exclude(state__in=[DeliveryState.DONE, DeliveryState.REFUSED])
    with transaction.atomic():
        refused = open_ones.update(
            state=DeliveryState.REFUSED, refusal_code=code, refusal=words, remedy=remedy, finished=now()
        )
        if refused:
            HeldFile.objects.filter(delivery=delivery.pk).delete()
        if refused and code != "cancelled":  # Who cancels knows.
            _tell(_with_cohort().filter(pk=delivery.pk))
    return bool(refused)


def finish_delivery_if_done(delivery_ids: Iterable[object]) -> None:
    """Mark deliveries as done whose every file has its final verdict, and tell their people, once."""
    waiting = Verdict.objects.filter(outcome=Outcome.WAITING).values("delivery")
    with transaction.atomic():
        converting = _with_cohort().filter(pk__in=list(delivery_ids), state=DeliveryState.CONVERTING)
        ready = converting.exclude(pk__in=waiting).order_by("pk")
        done = list(ready.select_for_update(of=("self",), no_key=True))
        if done:
            ids = [delivery.pk for delivery in done]
            Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.DONE, finished=now())
            _tell(done)


def _tell(deliveries: Iterable[Delivery]) -> None:
    """Tell people of deliveries that have ended; what came for an archive has to be settled there first."""
    ended = list(deliveries)
    for delivery in ended:
        if delivery.cohort.archive_id is not None and delivery.replaces_id is None:
            enqueue("archives.settle", delivery_id=str(delivery.pk), queueing_lock=f"settle:{delivery.pk}")
    tell_of_deliveries([delivery for delivery in ended if delivery.cohort.archive_id is None])


def _with_cohort() -> QuerySet[Delivery]:
    return Delivery.objects.select_related("upload", "cohort__contributor")


def refuse_accessions(*, refusals: dict[int, tuple[str, str, str]]) -> None:
    """Refuse accessions by id, each with code, words and remedy: names and bytes are free again.

    Only accessions still waiting are touched, so that doing it twice is harmless.
    """
    waiting = Accession.objects.select_for_update().filter(pk__in=refusals, state=AccessionState.RECEIVED)
    ids = [row.pk for row in waiting]
    Accession.objects.filter(pk__in=ids).update(state=AccessionState.REFUSED, original=None)
    verdicts = list(Verdict.objects.filter(accession__in=ids))
    for verdict in verdicts:
        assert verdict.accession_id is not None
        verdict.outcome = Outcome.REFUSED
        verdict.code, verdict.words, verdict.remedy = refusals[verdict.accession_id]
    Verdict.objects.bulk_update(verdicts, ["outcome", "code", "words", "remedy"])
