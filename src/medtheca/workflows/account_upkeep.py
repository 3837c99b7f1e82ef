"""What is due in accounts from time to time. Repeating any of it does no harm."""

from __future__ import annotations

from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.bearers import drop_expired_authorizations
from medtheca.domains.accounts.credentials import drop_ended_sessions
from medtheca.domains.accounts.taking import drop_expired_exports, overdue_exports
from medtheca.workflows.leaving import delete_due_accounts


def keep_accounts() -> dict[str, int]:
    """Delete accounts whose grace is over, and what is left of exports, sessions, codes and tokens that ended.

    Returns how many of each.
    """
    deleted = delete_due_accounts()
    for export_id in overdue_exports():
        # Its job was cut off; it is made again rather than waited for in vain.
        enqueue("accounts.export", queueing_lock=f"accounts.export:{export_id}", export_id=str(export_id))
    return {
        "deleted": deleted,
        "exports": drop_expired_exports(),
        "sessions": drop_ended_sessions(),
        "authorizations": drop_expired_authorizations(),
    }
