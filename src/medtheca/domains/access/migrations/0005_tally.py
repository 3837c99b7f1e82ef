"""Keep the number of public images as a sum of changes, written by the statements that change it.

An exact count of a large public archive is then a sum of few rows. Nobody waits for a counter: each statement adds a
row of its own, and a reader's snapshot sees the rows of just those statements that it sees.
"""

from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION access_tally_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_tally (delta)
        SELECT count(*) FROM added WHERE scope_id = 1 AND opens IS NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION access_tally_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_tally (delta)
        SELECT -count(*) FROM removed WHERE scope_id = 1 AND opens IS NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION access_tally_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint;
BEGIN
    change := (SELECT count(*) FROM added WHERE scope_id = 1 AND opens IS NULL)
            - (SELECT count(*) FROM removed WHERE scope_id = 1 AND opens IS NULL);
    IF change <> 0 THEN INSERT INTO access_tally (delta) VALUES (change); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER access_placement_tally_inserted AFTER INSERT ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_tally_added();
CREATE TRIGGER access_placement_tally_deleted AFTER DELETE ON access_placement
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_tally_removed();
CREATE TRIGGER access_placement_tally_updated AFTER UPDATE ON access_placement
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_tally_changed();
INSERT INTO access_tally (delta) SELECT count(*) FROM access_placement WHERE scope_id = 1 AND opens IS NULL;
"""
BACKWARDS = """
DROP TRIGGER access_placement_tally_updated ON access_placement;
DROP TRIGGER access_placement_tally_deleted ON access_placement;
DROP TRIGGER access_placement_tally_inserted ON access_placement;
DROP FUNCTION access_tally_changed();
DROP FUNCTION access_tally_removed();
DROP FUNCTION access_tally_added();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0004_notify_withdrawals")]
    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("delta", models.BigIntegerField()),
            ],
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("opens__isnull", False)), fields=["scope", "opens"], name="placement_embargoed"
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
