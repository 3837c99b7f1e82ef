"""What is kept of the search index, and triggers that log what search has to look at again, in the transaction that changes it.

One row a statement. They are on tables of other domains, because nothing that writes them may forget the log: bulk
statements, repairs by hand and later code are seen, too.
"""

from collections.abc import Iterator

import django.contrib.postgres.fields
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION search_log(kind text, images bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_indexchange (xid, kind, images)
        SELECT pg_current_xact_id()::text::bigint, kind, images WHERE cardinality(images) > 0;
$$;

CREATE FUNCTION search_image_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (SELECT array_agg(id) FROM changed));
    RETURN NULL;
END $$;

-- Of files and accessions: those of an image.
CREATE FUNCTION search_belonging_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (SELECT array_agg(DISTINCT image_id) FROM changed WHERE image_id IS NOT NULL));
    RETURN NULL;
END $$;

-- Most updates of an accession are steps of its review, of which search knows nothing.
CREATE FUNCTION search_accession_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (
        SELECT array_agg(DISTINCT image) FROM (
            SELECT unnest(ARRAY[n.image_id, o.image_id]) AS image FROM changed n JOIN removed o ON o.id = n.id
            WHERE (n.image_id, n.cohort_id, n.licence, n.attribution, n.patient_id, n.lesion_id)
                IS DISTINCT FROM (o.image_id, o.cohort_id, o.licence, o.attribution, o.patient_id, o.lesion_id)) found
        WHERE image IS NOT NULL));
    RETURN NULL;
END $$;

CREATE FUNCTION search_description_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (
        SELECT array_agg(a.image_id) FROM changed c JOIN provenance_accession a ON a.id = c.accession_id
        WHERE a.image_id IS NOT NULL));
    RETURN NULL;
END $$;

CREATE FUNCTION search_patient_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (
        SELECT array_agg(a.image_id) FROM changed c JOIN provenance_accession a ON a.patient_id = c.id
        WHERE a.image_id IS NOT NULL));
    RETURN NULL;
END $$;

CREATE FUNCTION search_lesion_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('described', (
        SELECT array_agg(a.image_id) FROM changed c JOIN provenance_accession a ON a.lesion_id = c.id
        WHERE a.image_id IS NOT NULL));
    RETURN NULL;
END $$;

CREATE FUNCTION search_placement_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_indexchange (xid, kind, scope, images)
        SELECT pg_current_xact_id()::text::bigint, 'placed', scope_id, array_agg(image_id)
        FROM changed GROUP BY scope_id;
    RETURN NULL;
END $$;

CREATE FUNCTION search_placement_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_indexchange (xid, kind, scope, images)
        SELECT pg_current_xact_id()::text::bigint, 'placed', scope_id, array_agg(DISTINCT image_id)
        FROM (SELECT scope_id, image_id FROM changed UNION ALL SELECT scope_id, image_id FROM removed) rows
        GROUP BY scope_id;
    RETURN NULL;
END $$;

CREATE FUNCTION search_withdrawal_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_log('withdrawn', (SELECT array_agg(image_id) FROM changed));
    RETURN NULL;
END $$;

CREATE FUNCTION search_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_indexchange (xid, kind, images) VALUES (pg_current_xact_id()::text::bigint, 'everything', '{}');
    RETURN NULL;
END $$;
"""
ON_CHANGE = {
    "imaging_image": ("search_image_changed", "search_image_changed"),
    "imaging_imagefile": ("search_belonging_changed", "search_belonging_changed"),
    "provenance_accession": ("search_belonging_changed", "search_accession_updated"),
    "metadata_description": ("search_description_changed", "search_description_changed"),
    "access_placement": ("search_placement_changed", "search_placement_updated"),
    "access_withdrawal": ("search_withdrawal_changed", "search_withdrawal_changed"),
}
ON_UPDATE = {"provenance_patient": "search_patient_changed", "provenance_lesion": "search_lesion_changed"}


def _updated(table: str, function: str) -> str:
    return f"""CREATE TRIGGER search_updated AFTER UPDATE ON {table} REFERENCING OLD TABLE AS removed NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {function}();"""


def _triggers() -> Iterator[str]:
    for table, (changed, updated) in ON_CHANGE.items():
        yield f"""CREATE TRIGGER search_inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {changed}();"""
        yield f"""CREATE TRIGGER search_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {changed}();"""
        yield _updated(table, updated)
        yield f"CREATE TRIGGER search_emptied AFTER TRUNCATE ON {table} EXECUTE FUNCTION search_emptied();"
    for table, function in ON_UPDATE.items():
        yield _updated(table, function)


def _take_away() -> Iterator[str]:
    for table in ON_CHANGE:
        for name in ("inserted", "deleted", "updated", "emptied"):
            yield f"DROP TRIGGER search_{name} ON {table};"
    for table in ON_UPDATE:
        yield f"DROP TRIGGER search_updated ON {table};"
    yield """DROP FUNCTION search_emptied(), search_withdrawal_changed(), search_placement_updated(),
        search_placement_changed(), search_lesion_changed(), search_patient_changed(), search_description_changed(),
        search_accession_updated(), search_belonging_changed(), search_image_changed();
        DROP FUNCTION search_log(text, bigint[]);"""


# Bitmaps are packed already: compressing them again costs time and gains nothing.
STORAGE = "ALTER TABLE search_indexpart ALTER COLUMN data SET STORAGE EXTERNAL"
STATE = "INSERT INTO search_indexstate (id, epoch, version, layout, cluster, snapshot, last_change, horizon, images)"
STATE += " VALUES (1, gen_random_uuid(), 0, '', '', '', 0, 0, 0)"


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("access", "0001_squashed_0007_tombstones"),
        ("imaging", "0005_source_of_files"),
        ("metadata", "0001_squashed_0002_sheets"),
        ("provenance", "0008_held_files"),
    ]
    operations = [
        migrations.CreateModel(
            name='IndexChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('xid', models.BigIntegerField(db_index=True)),
                ('kind', models.CharField(choices=[('described', 'Described'), ('placed', 'Placed'), ('withdrawn', 'Withdrawn'), ('everything', 'Everything')], max_length=10)),
                ('scope', models.BigIntegerField(null=True)),
                ('images', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
            ],
        ),
        migrations.CreateModel(
            name='IndexPart',
            fields=[
                ('name', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64)),
                ('data', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='IndexState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('epoch', models.UUIDField()),
                ('version', models.PositiveBigIntegerField(default=0)),
                ('layout', models.TextField(blank=True)),
                ('cluster', models.CharField(blank=True, max_length=80)),
                ('snapshot', models.TextField(blank=True)),
                ('last_change', models.BigIntegerField(default=0)),
                ('horizon', models.BigIntegerField(default=0)),
                ('images', models.PositiveBigIntegerField(default=0)),
                ('kept', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='index_state_once')],
            },
        ),
        migrations.RunSQL(FUNCTIONS + "\n".join(_triggers()), "\n".join(_take_away())),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(STATE, migrations.RunSQL.noop),
    ]
