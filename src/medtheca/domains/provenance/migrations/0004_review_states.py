"""Say of what was reviewed and published before there were review states what it came to."""

from django.db import migrations

_FORWARD = """
UPDATE provenance_accession SET review_state = newest.decision
FROM (SELECT DISTINCT ON (accession_id) accession_id, decision FROM provenance_review ORDER BY accession_id, id DESC)
    AS newest
WHERE newest.accession_id = provenance_accession.id;
UPDATE provenance_publishitem SET outcome = CASE WHEN published IS NULL THEN 'withdrawn' ELSE 'published' END
FROM provenance_accession WHERE done AND provenance_accession.id = accession_id;
"""


class Migration(migrations.Migration):
    dependencies = [("provenance", "0003_people_reviews_versions")]

    operations = [migrations.RunSQL(_FORWARD, migrations.RunSQL.noop)]
