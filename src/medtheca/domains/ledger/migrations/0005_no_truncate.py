"""The database refuses to empty the ledger, too: TRUNCATE passes by triggers for rows and DELETE."""

from django.db import migrations

FORWARDS = """
CREATE TRIGGER ledger_event_no_truncate BEFORE TRUNCATE ON ledger_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER ledger_seal_no_truncate BEFORE TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
"""
BACKWARDS = """
DROP TRIGGER ledger_seal_no_truncate ON ledger_seal;
DROP TRIGGER ledger_event_no_truncate ON ledger_event;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_redaction")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
