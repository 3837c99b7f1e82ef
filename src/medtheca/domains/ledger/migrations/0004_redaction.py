"""An event's details may be erased, and nothing else of it: the chain seals a commitment to them."""

from django.db import migrations, models

FORWARDS = """
CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'ledger_event'
        AND current_setting('medtheca.redacting', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION ledger_only_redacted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.at, NEW.actor_id, NEW.verb, NEW.subject_type, NEW.subject_id, NEW.cohort_id, NEW.commitment)
        IS DISTINCT FROM
        (OLD.id, OLD.at, OLD.actor_id, OLD.verb, OLD.subject_type, OLD.subject_id, OLD.cohort_id, OLD.commitment)
        OR NEW.details <> '{"erased": true}'::jsonb OR NEW.salt <> '' THEN
        RAISE EXCEPTION 'the audit ledger is append-only: only the details of an event may be erased'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_event_only_redacted BEFORE UPDATE ON ledger_event
    FOR EACH ROW EXECUTE FUNCTION ledger_only_redacted();
"""
BACKWARDS = """
DROP TRIGGER ledger_event_only_redacted ON ledger_event;
DROP FUNCTION ledger_only_redacted();
CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_notifications")]
    operations = [
        migrations.AddField(
            model_name="event",
            name="commitment",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="event",
            name="salt",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
