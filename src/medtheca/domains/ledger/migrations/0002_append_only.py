"""The database itself refuses to change or delete an event or a seal."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_event_append_only BEFORE UPDATE OR DELETE ON ledger_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
"""
BACKWARDS = """
DROP TRIGGER ledger_seal_append_only ON ledger_seal;
DROP TRIGGER ledger_event_append_only ON ledger_event;
DROP FUNCTION ledger_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
