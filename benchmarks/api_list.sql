-- Fills an empty archive with as many public images as the setting bench.images says. Everything is made from its number.
INSERT INTO accounts_user (password, is_superuser, email, first_name, last_name, is_staff, is_active, is_demo, hash_id)
    VALUES ('!', false, 'bench@example.org', 'Bench', 'Mark', false, true, false, 'BENCH');

INSERT INTO access_scope (kind, name) VALUES ('contributor', 'Benchmark');
INSERT INTO access_membership (scope_id, user_id, role)
    SELECT max(access_scope.id), max(accounts_user.id), 'owner' FROM access_scope, accounts_user;
INSERT INTO provenance_contributor (institution_name, institution_url, legal_contact_info, default_licence,
        default_attribution, creator_id, scope_id, modified)
    SELECT 'Benchmark', '', '', '', '', user_id, scope_id, now() FROM access_membership;

WITH scopes AS (
    INSERT INTO access_scope (kind, name) SELECT 'cohort', 'Cohort ' || n FROM generate_series(1, 20) n RETURNING id, name)
INSERT INTO provenance_cohort (contributor_id, name, description, licence, attribution, creator_id, scope_id, modified)
    SELECT c.id, s.name, '', 'CC-BY-4.0', 'Clinic of Exampleton', c.creator_id, s.id, now()
    FROM scopes s, provenance_contributor c;

INSERT INTO provenance_patient (public_id, contributor_id, private_id)
    SELECT 'IP_' || lpad(n::text, 7, '0'), c.id, 'P' || n
    FROM generate_series(1, current_setting('bench.images')::int / 4) n, provenance_contributor c;

-- Ids follow from the number: image n has the blobs 3n - 2 (original), 3n - 1 (public) and 3n (thumbnail).
INSERT INTO storage_blob (id, sha256, size, state)
    SELECT n, encode(sha256(n::text::bytea), 'hex'), 20000 + n % 400000, 'stored'
    FROM generate_series(1, current_setting('bench.images')::int * 3) n;

INSERT INTO imaging_image (id, key, public_id, format, media_type, width, height, orientation, colour_space, bits, channels,
        icc_profile, pixel_hash, perceptual_hash, stripped, created, modified)
    SELECT n, gen_random_uuid(), 'ISIC_' || lpad(n::text, 7, '0'), 'jpeg', 'image/jpeg', 1024, 768, 1, 'RGB', 8, 3,
        '', encode(sha256(('pixels' || n)::bytea), 'hex'), hashint8extended(n, 0), '[{"kind": "EXIF", "bytes": 812}]',
        timestamptz '2026-01-01' + (n / 64) * interval '7 seconds', now()
    FROM generate_series(1, current_setting('bench.images')::int) n;

INSERT INTO imaging_imagefile (image_id, kind, blob_id, media_type, recipe)
    SELECT (n + 2) / 3, (ARRAY['original', 'public', 'thumbnail'])[1 + (n - 1) % 3], n, 'image/jpeg',
        (ARRAY['', 'strip-1', 'thumbnail-1'])[1 + (n - 1) % 3]
    FROM generate_series(1, current_setting('bench.images')::int * 3) n;

INSERT INTO provenance_accession (id, cohort_id, name, name_key, original_path, creator_id, state, original_id, image_id,
        licence, attribution, patient_id, published, created, modified)
    SELECT i.id, c.id, i.id || '.jpg', i.id || '.jpg', 'images/' || i.id || '.jpg', c.creator_id, 'converted',
        i.id * 3 - 2, i.id, c.licence, c.attribution, 1 + i.id / 4 % (SELECT count(*) FROM provenance_patient), now(), i.created, now()
    FROM imaging_image i JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM provenance_cohort) c
        ON c.place = i.id % 20;

WITH drawn AS (
    SELECT id, abs(hashint8extended(id, 7)) AS r FROM provenance_accession)
INSERT INTO metadata_description (accession_id, version, unstructured, modified, structured)
    SELECT id, 1, '{}', now(), jsonb_build_object(
            'age', r % 80 + 5, 'age_approx', round((r % 80 + 5) / 5.0) * 5, 'sex', (ARRAY['male', 'female'])[1 + r / 80 % 2],
            'image_type', 'dermoscopic', 'dermoscopic_type', 'contact non-polarized', 'patient_id', 'P' || id / 4,
            'anatom_site_1', (ARRAY['Trunk', 'Head and neck', 'Lower extremity', 'Upper extremity'])[1 + r / 160 % 4],
            'diagnosis_confirm_type', (ARRAY['histopathology', 'single image expert consensus'])[1 + r / 640 % 2],
            'melanocytic', true)
        || (CASE WHEN r / 1280 % 5 = 0
            THEN '{"diagnosis_1": "Malignant", "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)",
                   "diagnosis_3": "Melanoma Invasive"}'
            ELSE '{"diagnosis_1": "Benign", "diagnosis_2": "Benign melanocytic proliferations", "diagnosis_3": "Nevus"}'
            END)::jsonb
    FROM drawn;

INSERT INTO access_placement (image_id, scope_id)
    SELECT i.id, s.id FROM imaging_image i, access_scope s WHERE s.kind IN ('public', 'signed_in', 'contributor')
    UNION ALL
    SELECT a.image_id, c.scope_id FROM provenance_accession a JOIN provenance_cohort c ON c.id = a.cohort_id;
