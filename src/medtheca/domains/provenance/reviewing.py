"""Judging accessions: what reviewers say is history, and what it comes to stands with the accession.

Thousands are judged at once, so the rows are written by SQL; names of tables are our own, every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.access.access import owns_any
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import brought_by, require_reviewer, visible_cohorts
from medtheca.domains.provenance.enums import AccessionState, ReviewDecision, ReviewReason
from medtheca.domains.provenance.models import Accession, Cohort, Review
from medtheca.domains.provenance.review_outcome import tell_of_outcomes
from medtheca.domains.provenance.versions import settle_candidates

_LONGEST_REASON = 500

# Said a second time by the same person, the same thing is a request sent twice and no second act.
_INSERT = """
INSERT INTO provenance_review (accession_id, reviewer_id, decision, reason_code, reason, file_version)
SELECT accession.id, %(reviewer)s, %(decision)s, %(reason_code)s, %(reason)s,
       COALESCE(candidate.number, accession.file_version)
FROM provenance_accession AS accession
LEFT JOIN provenance_fileversion AS candidate
       ON candidate.accession_id = accession.id AND candidate.state = 'candidate'
LEFT JOIN LATERAL (
    SELECT decision, reason_code, reason, file_version FROM provenance_review
    WHERE accession_id = accession.id AND reviewer_id = %(reviewer)s AND standing ORDER BY id DESC LIMIT 1
) AS mine ON true
WHERE accession.id = ANY(%(ids)s)
  AND (mine.decision, mine.reason_code, mine.reason, mine.file_version) IS DISTINCT FROM
      (%(decision)s, %(reason_code)s, %(reason)s, COALESCE(candidate.number, accession.file_version))
ORDER BY accession.id
RETURNING accession_id
"""
_RESTATE = """
UPDATE provenance_accession AS accession SET review_state = CASE
    WHEN said.rejecting > 0 THEN 'rejected'
    WHEN said.flagging > 0 THEN 'flagged'
    WHEN said.accepting >= cohort.readers THEN 'accepted'
    ELSE 'awaiting' END
FROM provenance_cohort AS cohort, (
    SELECT given.id,
           count(*) FILTER (WHERE newest.decision = 'rejected') AS rejecting,
           count(*) FILTER (WHERE newest.decision = 'flagged') AS flagging,
           count(*) FILTER (WHERE newest.decision = 'accepted') AS accepting
    FROM unnest(%(ids)s::bigint[]) AS given (id)
    LEFT JOIN (
        SELECT DISTINCT ON (accession_id, reviewer_id) accession_id, decision FROM provenance_review
        WHERE accession_id = ANY(%(ids)s) AND standing ORDER BY accession_id, reviewer_id, id DESC
    ) AS newest ON newest.accession_id = given.id
    GROUP BY given.id
) AS said
WHERE accession.id = said.id AND cohort.id = accession.cohort_id
"""


def record_reviews(
    *,
    accession_ids: Iterable[int],
    reviewer: User,
    decision: str,
    reason_code: str = "",
    reason: str = "",
) -> dict[int, int]:
    """Judge accessions, all or none; return the review of each.

    Saying the same again changes nothing and gives the review that stands. Raises `NotFound`, `NotAllowed` (also for
    one's own images, unless of the staff), `Invalid`, or `Conflict` where one is not converted.
    """
    ids = sorted(set(accession_ids))
    said = {"decision": str(decision), "reason_code": str(reason_code), "reason": reason.strip()}
    _require_reviewer_of(ids, reviewer)
    _validate(**said)
    with transaction.atomic():
        _lock(ids)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, {"ids": ids, "reviewer": reviewer.pk, **said})
            new = [pk for (pk,) in cursor.fetchall()]
        restate_reviews(accession_ids=new)
        # Of a file that waits to take the place of a published one, this is the judgement.
        restate_reviews(accession_ids=settle_candidates(accession_ids=new, actor=reviewer))
        tell_of_outcomes(_record(new, reviewer, said))
    return _newest_of(ids, reviewer)


def judge_accessions(
    *, accepted: Iterable[int], rejected: Iterable[int], reviewer: User, reason_code: str, reason: str = ""
) -> None:
    """Accept some accessions and reject others, all or none. Raises as `record_reviews`, `Invalid` for one in both."""
    yes, no = set(accepted), set(rejected)
    if both := yes & no:
        problem = Problem("id", f"Accession {min(both)} is accepted and rejected.", remedy="Send each once.")
        raise Invalid("The reviews cannot be kept.", problems=[problem])
    with transaction.atomic():
        record_reviews(accession_ids=yes, reviewer=reviewer, decision=ReviewDecision.ACCEPTED)
        record_reviews(
            accession_ids=no,
            reviewer=reviewer,
            decision=ReviewDecision.REJECTED,
            reason_code=reason_code,
            reason=reason,
        )


def undo_reviews(*, review_ids: Iterable[int], reviewer: User) -> None:
    """Take back what one has said; what one said before counts again. A second call changes nothing.

    Raises `NotFound` for what is not one's own.
    """
    wanted = set(review_ids)
    mine = Review.objects.filter(pk__in=wanted, reviewer=reviewer)
    accessions = dict(mine.values_list("pk", "accession"))
    if missing := wanted - accessions.keys():
        raise NotFound(f"You have given no review {min(missing)}.")
    ids = sorted(set(accessions.values()))
    _require_reviewer_of(ids, reviewer)
    with transaction.atomic():
        _lock(ids)
        taken = list(mine.filter(standing=True).values_list("pk", flat=True))
        Review.objects.filter(pk__in=taken).update(standing=False)
        restate_reviews(accession_ids=ids)
        _record([accessions[pk] for pk in taken], reviewer, {"decision": "undone"})


def reset_reviews(*, accession_ids: Iterable[int]) -> None:
    """Let review begin again, because the file or its description changed. What was said stays in the history."""
    ids = sorted(set(accession_ids))
    with transaction.atomic():
        # Whoever judges locks first and writes then; so does this, or a judgement of the old file could slip in.
        list(Accession.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
        Review.objects.filter(accession__in=ids, standing=True).update(standing=False)
        restate_reviews(accession_ids=ids)


def restate_reviews(*, accession_ids: Sequence[int]) -> None:
    """Work out anew what the standing reviews of accessions come to: after a review, or when readers are changed."""
    if accession_ids:
        with connection.cursor() as cursor:
            cursor.execute(_RESTATE, {"ids": list(accession_ids)})


def _require_reviewer_of(ids: Sequence[int], reviewer: User) -> None:
    found = dict(Accession.objects.filter(pk__in=ids).values_list("pk", "cohort"))
    cohorts = visible_cohorts(reviewer).select_related("contributor").in_bulk(set(found.values()))
    if missing := [pk for pk in ids if found.get(pk) not in cohorts]:
        raise NotFound(f"There is no accession {missing[0]}.")
    for cohort in cohorts.values():
        require_reviewer(reviewer, cohort, to="judge its images")
        _require_other_hands(reviewer, cohort)
    if not reviewer.is_staff and Accession.objects.filter(brought_by(reviewer), pk__in=ids).exists():
        raise NotAllowed("You brought these images yourself.", remedy="Ask another reviewer.", code="own_images")


def _require_other_hands(reviewer: User, cohort: Cohort) -> None:
    if not reviewer.is_staff and owns_any(reviewer, [cohort.scope_id, cohort.contributor.scope_id]):
        raise NotAllowed(
            "You answer for these images, so somebody else must judge them.",
            remedy="Ask another reviewer.",
            code="own_images",
        )


def _validate(*, decision: str, reason_code: str, reason: str) -> None:
    problems = []
    if decision not in ReviewDecision.values:
        problems.append(Problem("decision", f"{decision or 'Nothing'} is no decision.", remedy=_or(ReviewDecision)))
    if reason_code and reason_code not in ReviewReason.values:
        problems.append(Problem("reason_code", f"{reason_code} is no reason.", remedy=_or(ReviewReason)))
    if decision in {ReviewDecision.REJECTED, ReviewDecision.FLAGGED} and not (reason_code or reason):
        problems.append(Problem("reason_code", "A reason is missing.", code="required", remedy=_or(ReviewReason)))
    if len(reason) > _LONGEST_REASON:
        problems.append(Problem("reason", f"The reason is longer than {_LONGEST_REASON} characters.", code="too_long"))
    if "\x00" in reason:
        problems.append(Problem("reason", "The reason holds a character that cannot be kept."))
    if problems:
        raise Invalid("The review cannot be kept.", problems=problems)


def _or(words: type[ReviewDecision | ReviewReason]) -> str:
    *others, last = words.values
    return f"{', '.join(others)} or {last}."


def _lock(ids: Sequence[int]) -> None:
    """Lock accessions in one order. Raises `Conflict` where one has no picture to be judged."""
    rows = Accession.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    unready = [pk for pk, state in rows.values_list("pk", "state") if state != AccessionState.CONVERTED]
    if unready:
        raise Conflict(
            f"{len(unready):,} of the images are not converted, or were refused; the first is accession {unready[0]}.",
            code="not_converted",
            remedy="Wait until they are converted.",
        )


def _record(accession_ids: Sequence[int], reviewer: User, said: dict[str, str]) -> list[int]:
    """One event a cohort; return the cohorts. The reason in words may name a person and stays out of the ledger."""
    by_cohort: dict[int, list[int]] = {}
    for pk, cohort in Accession.objects.filter(pk__in=accession_ids).order_by("pk").values_list("pk", "cohort"):
        by_cohort.setdefault(cohort, []).append(pk)
    for cohort, accessions in by_cohort.items():
        record(
            actor_id=reviewer.pk,
            verb="accessions.reviewed",
            subject_type="cohort",
            subject_id=cohort,
            cohort_id=cohort,
            details={"accessions": accessions, **{key: said[key] for key in said if key != "reason"}},
        )
    return list(by_cohort)


def _newest_of(ids: Sequence[int], reviewer: User) -> dict[int, int]:
    rows = Review.objects.filter(accession__in=ids, reviewer=reviewer, standing=True).order_by("accession", "-pk")
    return dict(rows.distinct("accession").values_list("accession", "pk"))
