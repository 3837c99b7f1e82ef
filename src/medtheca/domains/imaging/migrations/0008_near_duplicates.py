"""Groups of near-duplicates, and triggers that note which images have to be looked at again.

They are triggers because nothing that writes images may forget it: bulk statements and repairs by hand are seen, too.
What is there already is due once.
"""

import django.db.models.deletion
from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION imaging_hashes_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO imaging_nearduplicatedue (image) SELECT id FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION imaging_hashes_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO imaging_nearduplicatedue (image) SELECT n.id FROM changed n JOIN removed o ON o.id = n.id
        WHERE (n.perceptual_hash, n.pixel_hash, n.kind) IS DISTINCT FROM (o.perceptual_hash, o.pixel_hash, o.kind);
    RETURN NULL;
END $$;

CREATE TRIGGER hashes_inserted AFTER INSERT ON imaging_image REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION imaging_hashes_changed();
CREATE TRIGGER hashes_deleted AFTER DELETE ON imaging_image REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION imaging_hashes_changed();
CREATE TRIGGER hashes_updated AFTER UPDATE ON imaging_image REFERENCING OLD TABLE AS removed NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION imaging_hashes_updated();
"""
TAKEN_AWAY = """
DROP TRIGGER hashes_inserted ON imaging_image;
DROP TRIGGER hashes_deleted ON imaging_image;
DROP TRIGGER hashes_updated ON imaging_image;
DROP FUNCTION imaging_hashes_updated(), imaging_hashes_changed();
"""
BEGIN = "INSERT INTO imaging_nearduplicatedue (image) SELECT id FROM imaging_image"


class Migration(migrations.Migration):
    dependencies = [("imaging", "0007_dicom_copies")]
    operations = [
        migrations.CreateModel(
            name='NearDuplicate',
            fields=[
                ('image', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='near_duplicate', serialize=False, to='imaging.image')),
                ('group', models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='NearDuplicateDue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image', models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(TRIGGERS, TAKEN_AWAY),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
