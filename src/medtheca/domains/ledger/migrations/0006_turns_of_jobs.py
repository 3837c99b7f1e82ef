"""The last job of a line is found without reading the queue (`base.turns`), each time that one is added."""

from django.db import migrations

FORWARDS = """
CREATE INDEX medtheca_job_turns ON procrastinate_jobs ((args->>'turn'), priority)
    WHERE status IN ('todo', 'doing')
"""
BACKWARDS = "DROP INDEX medtheca_job_turns"


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_no_truncate"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
