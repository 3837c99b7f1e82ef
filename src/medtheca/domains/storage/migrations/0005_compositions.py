"""Blobs that are composed of ranges of others, and what must not happen to those."""

import django.db.models.deletion
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION storage_compositions_are_flat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'storage_compositionsource' THEN
        IF EXISTS (SELECT FROM storage_composition WHERE blob_id = NEW.source_id) THEN
            RAISE EXCEPTION 'blob % is composed itself and cannot be a source', NEW.source_id
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF EXISTS (SELECT FROM storage_composition WHERE blob_id = NEW.recipe_id)
        OR EXISTS (SELECT FROM storage_composition WHERE recipe_id = NEW.blob_id)
        OR EXISTS (SELECT FROM storage_compositionsource WHERE source_id = NEW.blob_id)
        OR NEW.recipe_id = NEW.blob_id
    THEN
        RAISE EXCEPTION 'blob % cannot be composed: compositions are made of it, or of its recipe', NEW.blob_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER storage_composition_flat BEFORE INSERT OR UPDATE ON storage_composition
    FOR EACH ROW EXECUTE FUNCTION storage_compositions_are_flat();
CREATE TRIGGER storage_compositionsource_flat BEFORE INSERT OR UPDATE ON storage_compositionsource
    FOR EACH ROW EXECUTE FUNCTION storage_compositions_are_flat();
"""

BACKWARDS = """
DROP TRIGGER storage_compositionsource_flat ON storage_compositionsource;
DROP TRIGGER storage_composition_flat ON storage_composition;
DROP FUNCTION storage_compositions_are_flat();
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0004_let_go")]
    operations = [
        migrations.CreateModel(
            name="Composition",
            fields=[
                (
                    "blob",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="composition",
                        serialize=False,
                        to="storage.blob",
                    ),
                ),
                (
                    "recipe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="storage.blob"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CompositionSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "composition",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="storage.composition",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="storage.blob"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("composition", "source"), name="composition_source_once")
                ],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
