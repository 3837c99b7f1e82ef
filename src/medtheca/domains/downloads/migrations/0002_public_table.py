"""The table of public metadata, and triggers that note what changes of it.

One row a statement, so that nobody waits for another: what is written there counts once it is committed.
"""

from collections.abc import Iterator

import django.db.models.deletion
from django.db import migrations, models

_LOG = "INSERT INTO downloads_publictablechange (closing) SELECT {closing} WHERE EXISTS ({found});"
_PUBLIC = "SELECT 1 FROM access_placement p WHERE p.scope_id = 1 AND p.image_id IN ({images})"
_ACCESSIONS = "SELECT a.image_id FROM provenance_accession a WHERE a.{key} IN (SELECT id FROM changed)"
_BODIES = {
    "placed": ("false", "SELECT 1 FROM changed WHERE scope_id = 1"),
    "taken": ("true", "SELECT 1 FROM changed WHERE scope_id = 1"),
    # What stays public, or comes to be, closes nothing: publishing again is an update, too.
    "moved": (
        "(SELECT count(*) > 0 FROM removed r JOIN changed c ON c.id = r.id WHERE r.scope_id = 1"
        " AND (r.opens IS NULL OR r.opens <= now()) AND (c.scope_id <> 1 OR c.opens > now()))",
        "SELECT 1 FROM changed WHERE scope_id = 1 UNION ALL SELECT 1 FROM removed WHERE scope_id = 1",
    ),
    "image": ("false", _PUBLIC.format(images="SELECT id FROM changed")),
    "belonging": ("false", _PUBLIC.format(images="SELECT image_id FROM changed")),
    "description": (
        "false",
        _PUBLIC.format(
            images="SELECT a.image_id FROM changed c JOIN provenance_accession a ON a.id = c.accession_id"
        ),
    ),
    "patient": ("false", _PUBLIC.format(images=_ACCESSIONS.format(key="patient_id"))),
    "lesion": ("false", _PUBLIC.format(images=_ACCESSIONS.format(key="lesion_id"))),
}
_TRIGGERS = (
    ("access_placement", "INSERT", "placed"),
    ("access_placement", "DELETE", "taken"),
    ("access_placement", "UPDATE", "moved"),
    ("imaging_image", "UPDATE", "image"),
    ("imaging_imagefile", "INSERT", "belonging"),
    ("imaging_imagefile", "UPDATE", "belonging"),
    ("provenance_accession", "UPDATE", "belonging"),
    ("metadata_description", "INSERT", "description"),
    ("metadata_description", "UPDATE", "description"),
    ("metadata_description", "DELETE", "description"),
    ("provenance_patient", "UPDATE", "patient"),
    ("provenance_lesion", "UPDATE", "lesion"),
)
_SEEN = {
    "INSERT": "NEW TABLE AS changed",
    "DELETE": "OLD TABLE AS changed",
    "UPDATE": "OLD TABLE AS removed NEW TABLE AS changed",
}


def _made() -> Iterator[str]:
    for name, (closing, found) in _BODIES.items():
        yield f"""CREATE FUNCTION public_table_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_LOG.format(closing=closing, found=found)}
    RETURN NULL;
END $$;"""
    yield """CREATE FUNCTION public_table_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO downloads_publictablechange (closing) VALUES (true);
    RETURN NULL;
END $$;"""
    for table, verb, name in _TRIGGERS:
        yield f"""CREATE TRIGGER public_table_{verb.lower()} AFTER {verb} ON {table} REFERENCING {_SEEN[verb]}
    FOR EACH STATEMENT EXECUTE FUNCTION public_table_{name}();"""
    yield """CREATE TRIGGER public_table_emptied AFTER TRUNCATE ON access_placement
    EXECUTE FUNCTION public_table_emptied();"""


def _taken_away() -> Iterator[str]:
    for table, verb, _ in _TRIGGERS:
        yield f"DROP TRIGGER public_table_{verb.lower()} ON {table};"
    yield "DROP TRIGGER public_table_emptied ON access_placement;"
    for name in (*_BODIES, "emptied"):
        yield f"DROP FUNCTION public_table_{name}();"


# What is public already is in no file.
_BEGIN = """INSERT INTO downloads_publictablechange (closing)
    SELECT false WHERE EXISTS (SELECT 1 FROM access_placement WHERE scope_id = 1)"""


class Migration(migrations.Migration):
    dependencies = [
        ("downloads", "0001_initial"),
        ("access", "0008_collections"),
        ("imaging", "0008_near_duplicates"),
        ("metadata", "0001_squashed_0002_sheets"),
        ("provenance", "0008_held_files"),
        ("storage", "0005_compositions"),
    ]
    operations = [
        migrations.CreateModel(
            name='PublicTableChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('closing', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='PublicTable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('images', models.PositiveBigIntegerField()),
                ('layout', models.CharField(max_length=80)),
                ('made', models.DateTimeField()),
                ('opens', models.DateTimeField(null=True)),
                ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='public_table_once')],
            },
        ),
        migrations.RunSQL("\n".join(_made()), "\n".join(_taken_away())),
        migrations.RunSQL(_BEGIN, migrations.RunSQL.noop),
    ]
