"""Whether an image was public when its embargo was put off is asked of the clock, not of the transaction's beginning.

An hour before it ends counts as public: the table may be made between the change and its commit.
"""

from django.db import migrations

_MOVED = """CREATE OR REPLACE FUNCTION public_table_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO downloads_publictablechange (closing) SELECT (
        SELECT count(*) > 0 FROM removed r JOIN changed c ON c.id = r.id
        WHERE r.scope_id = 1 AND (r.opens IS NULL OR r.opens <= {public})
        AND (c.scope_id <> 1 OR c.opens > {opens})
    ) WHERE EXISTS (
        SELECT 1 FROM changed WHERE scope_id = 1 UNION ALL SELECT 1 FROM removed WHERE scope_id = 1
    );
    RETURN NULL;
END $$;"""


class Migration(migrations.Migration):
    dependencies = [("downloads", "0002_public_table")]
    operations = [
        migrations.RunSQL(
            _MOVED.format(public="clock_timestamp() + interval '1 hour'", opens="clock_timestamp()"),
            _MOVED.format(public="now()", opens="now()"),
        ),
    ]
