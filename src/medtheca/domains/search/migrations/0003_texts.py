"""Words of what people wrote, as stored `tsvector`s, kept by triggers in the transaction that changes the text.

Each row is made of one row of one other table, so that two transactions never make it together. `search_words` is
`medtheca.toolkit.querylang.words` again: whoever changes one changes both.
"""

from collections.abc import Iterator

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

# A body of standard SQL is bound to what it calls when it is made: a dump can be restored whatever its search_path.
WORDS = r"""
CREATE FUNCTION search_words(texts text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    -- Words of two texts are never next to each other.
    SELECT coalesce(string_agg('''' || word || ''':' || place, ' '), '')::tsvector FROM (
        SELECT left(found[1], 100) AS word, row_number() OVER (ORDER BY part.at, words.at) + part.at AS place
        FROM unnest(texts) WITH ORDINALITY AS part (body, at),
            regexp_matches(
                replace(replace(replace(replace(translate(
                    lower(regexp_replace(normalize(left(part.body, 100000), NFKD), '[\u0300-\u036f]', '', 'g')),
                    'øłđðı', 'olddi'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
                '[0-9a-z\u00c0-\u1fff\u2070-\u2fff\u3040-\ud7ff\ue000-\U0010ffff]+', 'g'
            ) WITH ORDINALITY AS words (found, at)
        -- So many of the longest are still no more than a tsvector may hold.
        ORDER BY part.at, words.at LIMIT 2000
    ) numbered;
END;

-- What an accession says to everybody who sees its image, and what only to the people of its cohort.
CREATE FUNCTION search_accession_shown(attribution text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_words(ARRAY[attribution]);
CREATE FUNCTION search_accession_kept(name text, path text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_words(ARRAY[nullif(path, name), name]);
CREATE FUNCTION search_description_kept(structured jsonb, unstructured jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    SELECT search_words(ARRAY[structured->>'patient_id', structured->>'lesion_id', structured->>'rcm_case_id']
        || ARRAY(SELECT said.value FROM jsonb_each_text(unstructured) AS said ORDER BY said.key));
END;
CREATE FUNCTION search_image_shown(facts jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_words(ARRAY[facts->>'manufacturer', facts->>'model']);
"""
SOURCES = {
    "imaging_image": ("image", "id", "search_image_shown(t.facts)", "''::tsvector", ("facts",)),
    "provenance_accession": (
        "accession",
        "id",
        "search_accession_shown(t.attribution)",
        "search_accession_kept(t.name, t.original_path)",
        ("attribution", "name", "original_path"),
    ),
    "metadata_description": (
        "description",
        "accession_id",
        "''::tsvector",
        "search_description_kept(t.structured, t.unstructured)",
        ("structured->'patient_id'", "structured->'lesion_id'", "structured->'rcm_case_id'", "unstructured"),
    ),
}
"""For each table: how its rows are called, their key, words for everybody, words for the cohort, and what they hang on."""


def _functions() -> Iterator[str]:
    for table, (source, key, shown, kept, columns) in SOURCES.items():
        made = f"SELECT '{source}', t.{key}, {shown}, {kept}"
        before, after = (", ".join(f"{row}.{column}" for column in columns) for row in "on")
        yield f"""
CREATE FUNCTION search_{source}_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_text (source, key, shown, kept)
        SELECT * FROM ({made} FROM changed t) made (source, key, shown, kept)
        WHERE made.shown <> '' OR made.kept <> ''
    ON CONFLICT (source, key) DO UPDATE SET shown = excluded.shown, kept = excluded.kept;
    RETURN NULL;
END $$;
CREATE FUNCTION search_{source}_retold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_text (source, key, shown, kept)
        {made} FROM (SELECT n.* FROM changed n JOIN removed o USING ({key})
            WHERE ROW({after}) IS DISTINCT FROM ROW({before})) t
    ON CONFLICT (source, key) DO UPDATE SET shown = excluded.shown, kept = excluded.kept;
    RETURN NULL;
END $$;
CREATE FUNCTION search_{source}_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_text WHERE source = '{source}' AND key IN (SELECT {key} FROM removed);
    RETURN NULL;
END $$;
CREATE FUNCTION search_{source}_all_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_text WHERE source = '{source}';
    RETURN NULL;
END $$;
CREATE TRIGGER search_told AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_{source}_told();
CREATE TRIGGER search_retold AFTER UPDATE ON {table} REFERENCING OLD TABLE AS removed NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_{source}_retold();
CREATE TRIGGER search_untold AFTER DELETE ON {table} REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION search_{source}_untold();
CREATE TRIGGER search_all_untold AFTER TRUNCATE ON {table}
    EXECUTE FUNCTION search_{source}_all_untold();
"""


def filling() -> str:
    """All words of all rows; what triggers have noted meanwhile goes before what is read here."""
    rows = "\n    UNION ALL ".join(
        f"SELECT '{source}', t.{key}, {shown}, {kept} FROM {table} t"
        for table, (source, key, shown, kept, _) in SOURCES.items()
    )
    return f"""
CREATE FUNCTION search_texts_due() RETURNS TABLE (source varchar, key bigint, shown tsvector, kept tsvector)
    LANGUAGE sql STABLE AS $$
    SELECT * FROM ({rows}) made (source, key, shown, kept) WHERE made.shown <> '' OR made.kept <> ''
$$;
CREATE FUNCTION search_fill_texts() RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_text (source, key, shown, kept) SELECT * FROM search_texts_due()
    ON CONFLICT (source, key) DO NOTHING
$$;
"""


def _take_away() -> Iterator[str]:
    for table, (source, *_) in SOURCES.items():
        for name in ("told", "retold", "untold", "all_untold"):
            yield f"DROP TRIGGER search_{name} ON {table}; DROP FUNCTION search_{source}_{name}();"
    yield """DROP FUNCTION search_fill_texts(); DROP FUNCTION search_texts_due();
        DROP FUNCTION search_image_shown(jsonb), search_description_kept(jsonb, jsonb),
        search_accession_kept(text, text), search_accession_shown(text);
        DROP FUNCTION search_words(text[]);"""


class Migration(migrations.Migration):
    dependencies = [("search", "0002_saved_searches")]
    operations = [
        migrations.CreateModel(
            name="Text",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[("image", "Image"), ("accession", "Accession"), ("description", "Description")],
                        max_length=12,
                    ),
                ),
                ("key", models.BigIntegerField()),
                ("shown", django.contrib.postgres.search.SearchVectorField()),
                ("kept", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["source", "key"], name="text_once_a_row")],
                "indexes": [
                    # Without a list of what waits: whoever asks would have to read it.
                    django.contrib.postgres.indexes.GinIndex(fields=["shown"], name="text_shown", fastupdate=False),
                    django.contrib.postgres.indexes.GinIndex(fields=["kept"], name="text_kept", fastupdate=False),
                ],
            },
        ),
        migrations.RunSQL(WORDS + "\n".join(_functions()) + filling(), "\n".join(_take_away())),
    ]
