"""Words are looked for where there are some: most rows of most archives have none of one kind or the other.

A call of `search_words` takes some 25 us, whatever it is given. What is noted stays the same.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("medtheca.domains.search.migrations.0003_texts")

SOONER = """
CREATE OR REPLACE FUNCTION search_accession_shown(attribution text) RETURNS tsvector LANGUAGE sql IMMUTABLE
    PARALLEL SAFE RETURN CASE WHEN attribution = '' THEN ''::tsvector ELSE search_words(ARRAY[attribution]) END;
CREATE OR REPLACE FUNCTION search_image_shown(facts jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN facts ?| ARRAY['manufacturer', 'model']
        THEN search_words(ARRAY[facts->>'manufacturer', facts->>'model']) ELSE ''::tsvector END;

-- A function of its own: with an inner SELECT in it, the other could not become part of a statement.
CREATE FUNCTION search_description_words(structured jsonb, unstructured jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
    SELECT search_words(ARRAY[structured->>'patient_id', structured->>'lesion_id', structured->>'rcm_case_id']
        || ARRAY(SELECT said.value FROM jsonb_each_text(unstructured) AS said ORDER BY said.key));
END;
CREATE OR REPLACE FUNCTION search_description_kept(structured jsonb, unstructured jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN unstructured = '{}' AND NOT structured ?| ARRAY['patient_id', 'lesion_id', 'rcm_case_id']
        THEN ''::tsvector ELSE search_description_words(structured, unstructured) END;

-- Rows without words are left out by those who ask: a condition here would make all words twice.
CREATE OR REPLACE FUNCTION search_texts_due() RETURNS TABLE (source varchar, key bigint, shown tsvector, kept tsvector)
    LANGUAGE sql STABLE AS $$
    SELECT 'accession', t.id, by.shown, search_accession_kept(t.name, t.original_path)
        FROM provenance_accession t JOIN (
            SELECT said.attribution, search_accession_shown(said.attribution) AS shown
            -- Each once: without OFFSET the words would be made of every row all the same.
            FROM (SELECT DISTINCT attribution FROM provenance_accession) said OFFSET 0
        ) by USING (attribution)
    UNION ALL SELECT 'image', t.id, search_image_shown(t.facts), '' FROM imaging_image t
    UNION ALL SELECT 'description', t.accession_id, '', search_description_kept(t.structured, t.unstructured)
        FROM metadata_description t
$$;
CREATE OR REPLACE FUNCTION search_fill_texts() RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_text (source, key, shown, kept)
        SELECT * FROM (SELECT * FROM search_texts_due() OFFSET 0) made WHERE made.shown <> '' OR made.kept <> ''
    ON CONFLICT (source, key) DO NOTHING
$$;
"""


def _as_before() -> str:
    functions: str = BEFORE.WORDS + BEFORE.filling()
    return functions.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + (
        "DROP FUNCTION search_description_words(jsonb, jsonb);"
    )


class Migration(migrations.Migration):
    dependencies = [("search", "0005_changes_of_metadata")]
    operations = [migrations.RunSQL(SOONER, _as_before())]
