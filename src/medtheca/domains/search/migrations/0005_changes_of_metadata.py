"""Changes of metadata have a kind of their own in the log: whoever follows it reads the description and nothing else."""

from django.db import migrations, models

CHANGED = """
CREATE OR REPLACE FUNCTION search_description_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('metadata', (
        SELECT array_agg(a.image_id) FROM changed c JOIN provenance_accession a ON a.id = c.accession_id
        WHERE a.image_id IS NOT NULL));
    RETURN NULL;
END $$;

-- What a spreadsheet said beside the fields is nothing that the index knows of.
CREATE FUNCTION search_description_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('metadata', (
        SELECT array_agg(a.image_id) FROM changed n JOIN removed o USING (accession_id)
            JOIN provenance_accession a ON a.id = n.accession_id
        WHERE a.image_id IS NOT NULL AND n.structured IS DISTINCT FROM o.structured));
    RETURN NULL;
END $$;
DROP TRIGGER search_updated ON metadata_description;
CREATE TRIGGER search_updated AFTER UPDATE ON metadata_description REFERENCING OLD TABLE AS removed NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_description_updated();
"""
BACK = """
CREATE OR REPLACE FUNCTION search_description_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (
        SELECT array_agg(a.image_id) FROM changed c JOIN provenance_accession a ON a.id = c.accession_id
        WHERE a.image_id IS NOT NULL));
    RETURN NULL;
END $$;
DROP TRIGGER search_updated ON metadata_description;
CREATE TRIGGER search_updated AFTER UPDATE ON metadata_description REFERENCING OLD TABLE AS removed NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_description_changed();
DROP FUNCTION search_description_updated();
UPDATE search_indexchange SET kind = 'described' WHERE kind = 'metadata';
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0004_texts_so_far")]
    operations = [
        migrations.AlterField(
            model_name="indexchange",
            name="kind",
            field=models.CharField(
                choices=[
                    ("described", "Described"),
                    ("metadata", "Metadata"),
                    ("placed", "Placed"),
                    ("withdrawn", "Withdrawn"),
                    ("everything", "Everything"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunSQL(CHANGED, BACK),
    ]
