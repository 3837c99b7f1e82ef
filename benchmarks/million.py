"""A large archive straight into PostgreSQL: images with what is said of them, in the skew of real archives.

Values of some 40 fields follow shares like those of the ISIC Archive (a few terms are most of it, most fields are said
of few images); images hang in cohorts, collections of very different size, with the public, the signed-in, groups,
under embargo, or with nobody. Everything follows from the seed.
"""

import hashlib
import io
import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np
import psycopg

COHORTS, COLLECTIONS, GROUPS = 60, 2000, 12
LINKS_AN_IMAGE = 5
_BATCH = 50_000
_DESCRIPTIONS = 30_000
_PEOPLE = ("owner", "reader", "stranger")
_START = 1_767_225_600_000_000
_FILLED = (
    "storage_blob",
    "imaging_image",
    "imaging_imagefile",
    "provenance_patient",
    "provenance_lesion",
    "provenance_accession",
    "metadata_description",
    "access_placement",
    "search_text",
)


def fill(connection, images, *, seed=1):
    """Make the archive in an empty, migrated database; `connection` is psycopg's, with autocommit.

    Returns the e-mail addresses of an owner of a fifth of the cohorts, who is in groups too, and of a stranger.
    """
    keys = _Keys(connection)
    with _WithoutChecks(connection):
        _Images(connection, images, keys, seed).write()
        connection.execute(
            "INSERT INTO search_text (source, key, shown, kept)"
            " SELECT 'image', id, search_image_shown(facts), '' FROM imaging_image WHERE facts <> '{}'"
        )
    connection.execute(
        "INSERT INTO access_tally (delta) SELECT count(*) FROM access_placement WHERE scope_id = 1 AND opens IS NULL"
    )
    for table in ("imaging_image", "provenance_accession", "storage_blob"):
        connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), %s)", [images])
    connection.execute("VACUUM ANALYZE")
    return {name: f"{name}@example.org" for name in _PEOPLE}


class _Keys:
    """People, scopes, a contributor, cohorts and collections: few rows, by plain statements."""

    def __init__(self, connection):
        self.connection = connection
        self.people = {name: self._person(name, at) for at, name in enumerate(_PEOPLE)}
        owner = self.people["owner"]
        contributors = [self._scope("contributor") for _ in range(3)]
        self.contributors = [self._contributor(scope, owner) for scope in contributors]
        self.contributor_scopes = contributors
        self.cohort_scopes = [self._scope("cohort") for _ in range(COHORTS)]
        self.cohorts = [self._cohort(at, scope, owner) for at, scope in enumerate(self.cohort_scopes)]
        self.groups = [self._scope("group") for _ in range(GROUPS)]
        self.collections = self._collections(owner)
        for scope in [*self.cohort_scopes[::5]]:
            self._member(scope, owner, "owner")
        for scope in [*self.groups[::2], *self.cohort_scopes[::9]]:
            self._member(scope, self.people["reader"], "viewer")

    def _row(self, statement, *values):
        return self.connection.execute(statement, values).fetchone()[0]

    def _person(self, name, at):
        return self._row(
            "INSERT INTO accounts_user (password, is_superuser, email, first_name, last_name, is_staff, is_active,"
            " is_demo, hash_id) VALUES ('!', false, %s, %s, 'Bench', false, true, false, %s) RETURNING id",
            f"{name}@example.org",
            name,
            f"BENC{at}",
        )

    def _scope(self, kind):
        return self._row("INSERT INTO access_scope (kind, name) VALUES (%s, 'Benchmark') RETURNING id", kind)

    def _member(self, scope, user, role):
        self._row(
            "INSERT INTO access_membership (scope_id, user_id, role) VALUES (%s, %s, %s) RETURNING id",
            scope,
            user,
            role,
        )

    def _contributor(self, scope, owner):
        return self._row(
            "INSERT INTO provenance_contributor (institution_name, institution_url, legal_contact_info,"
            " default_licence, default_attribution, creator_id, scope_id, modified)"
            " VALUES ('Clinic', '', '', '', '', %s, %s, now()) RETURNING id",
            owner,
            scope,
        )

    def _cohort(self, at, scope, owner):
        return self._row(
            "INSERT INTO provenance_cohort (contributor_id, name, description, licence, attribution, creator_id,"
            " scope_id, modified) VALUES (%s, %s, '', 'CC-BY-4.0', 'Clinic', %s, %s, now()) RETURNING id",
            self.contributors[at % 3],
            f"Cohort {at}",
            owner,
            scope,
        )

    def _collections(self, owner):
        """Scopes of the collections' listings; every second collection is public."""
        scopes = "INSERT INTO access_scope (kind, name) SELECT %s, 'Benchmark' FROM generate_series(1, %s) RETURNING id"
        listings, sharings = (
            [row[0] for row in self.connection.execute(scopes, [kind, COLLECTIONS]).fetchall()]
            for kind in ("collection", "sharing")
        )
        self.connection.execute(
            "INSERT INTO collections_collection (creator_id, name, description, public, pinned, locked, lock_reason,"
            " listing_id, sharing_id, modified) SELECT %s, 'Collection ' || at, '', at %% 2 = 0, false, false, '',"
            " listing, sharing, now() FROM unnest(%s::bigint[], %s::bigint[])"
            " WITH ORDINALITY AS made (listing, sharing, at)",
            [owner, listings, sharings],
        )
        return listings


class _Images:
    def __init__(self, connection, number, keys, seed):
        self.connection, self.number, self.keys, self.seed = connection, number, keys, seed
        self.descriptions = _descriptions(np.random.default_rng(seed))
        self.cohort_shares = _zipf(COHORTS, 1.1)
        self.collection_shares = _zipf(COLLECTIONS, 1.0)

    def write(self):
        """Everything, in batches that have dice of their own, so that all cores of the database work."""
        for table, letter in (("patient", "P"), ("lesion", "L")):
            rows = (
                f"{n}\tI{letter}_{n:07}\t{self.keys.contributors[n % 3]}\t{letter}{n}\n"
                for n in range(1, self.number // 3 + 2)
            )
            self._copy(f"provenance_{table} (id, public_id, contributor_id, private_id)", rows)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(self._batch, range(1, self.number + 1, _BATCH)))

    def _batch(self, start):
        parameters = self.connection.info.get_parameters() | {"password": self.connection.info.password}
        with psycopg.connect(**parameters, autocommit=True) as connection:
            own = copy(self)
            own.connection, own.dice = connection, np.random.default_rng([self.seed, start])
            own.fill(start, min(_BATCH, self.number + 1 - start))

    def fill(self, start, number):
        """So many images from number `start` on, and all that hangs on them."""
        dice, ids = self.dice, np.arange(start, start + number)
        sizes = np.exp(dice.normal(12.5, 1.0, number)).astype(int) + 1000
        hashes = [f"{value:064x}" for value in ids.tolist()]
        self._copy(
            "storage_blob (id, sha256, size, state)",
            (f"{i}\t{h}\t{s}\tstored\n" for i, h, s in zip(ids, hashes, sizes, strict=True)),
        )
        widths = dice.choice([600, 640, 768, 1024, 1504, 1872, 3024, 4000, 6000], number) + (
            dice.random(number) < 0.1
        ) * dice.integers(0, 900, number)
        # Batches of 64 have one time each; transactions at the same time are a little out of order.
        moments = _START + (ids // 64 + dice.integers(0, 3, number // 64 + 2)[(ids - start) // 64]) * 1_700_000
        stamps = np.datetime_as_string(moments.astype("datetime64[us]")).tolist()
        volumes = dice.random(number) < 0.01
        keys = [str(uuid.UUID(int=int(value))) for value in dice.integers(2**60, 2**62, number)]
        self._copy(
            "imaging_image (id, key, public_id, kind, format, media_type, width, height, depth, spacing_x, spacing_y,"
            " orientation, colour_space, bits, channels, icc_profile, pixel_hash, perceptual_hash, stripped, facts,"
            " created, modified)",
            (
                _image_row(row)
                for row in zip(ids.tolist(), keys, widths.tolist(), volumes.tolist(), hashes, stamps, strict=True)
            ),
        )
        self._copy(
            "imaging_imagefile (image_id, kind, blob_id, media_type, recipe, source)",
            (f"{i}\t{kind}\t{i}\timage/jpeg\tbench-1\t\n" for i in ids for kind in ("public", "thumbnail")),
        )
        self._accessions(ids, stamps)
        self._placements(ids)

    def _accessions(self, ids, stamps):
        dice, number = self.dice, len(ids)
        self.cohort_of = dice.choice(COHORTS, number, p=self.cohort_shares)
        licences = dice.choice(["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"], number, p=[0.15, 0.25, 0.6])
        owner = self.keys.people["owner"]
        self._copy(
            "provenance_accession (id, cohort_id, name, name_key, original_path, creator_id, state, original_id,"
            " image_id, licence, attribution, patient_id, lesion_id, published, created, modified)",
            (
                f"{i}\t{self.keys.cohorts[c]}\t{i}.jpg\t{i}.jpg\t{i}.jpg\t{owner}\tconverted\t{i}\t{i}\t{licence}"
                f"\tClinic {c * 7 % 40}\t{1 + i // 3}\t{1 + i // 3 if i % 5 < 3 else chr(92) + 'N'}\t{t}Z\t{t}Z\t{t}Z\n"
                for i, c, licence, t in zip(ids.tolist(), self.cohort_of, licences.tolist(), stamps, strict=True)
            ),
        )
        # As triggers would: `medtheca check` finds no fault with them.
        self._copy(
            "search_text (source, key, shown, kept)",
            (
                f"accession\t{i}\t'clinic':2 '{c * 7 % 40}':3\t'{i}':3 'jpg':4\n"
                for i, c in zip(ids.tolist(), self.cohort_of, strict=True)
            ),
        )
        said = self.descriptions[dice.integers(0, len(self.descriptions), number)]
        self._copy(
            "metadata_description (accession_id, version, unstructured, modified, structured)",
            (f"{i}\t1\t{{}}\t{t}Z\t{text}\n" for i, t, text in zip(ids.tolist(), stamps, said.tolist(), strict=True)),
        )

    def _placements(self, ids):
        dice, number, keys = self.dice, len(ids), self.keys
        fate = dice.random(number)
        groups = dice.integers(0, GROUPS, number)
        links = dice.choice(COLLECTIONS, (number, LINKS_AN_IMAGE), p=self.collection_shares)

        def rows():
            for at, image in enumerate(ids.tolist()):
                cohort = int(self.cohort_of[at])
                scopes = {keys.cohort_scopes[cohort], keys.contributor_scopes[cohort % 3]}
                opens = r"\N"
                for scope in scopes:
                    yield f"{image}\t{scope}\t\\N\n"
                if fate[at] < 0.92:
                    opens = "2027-06-01Z" if fate[at] < 0.01 else r"\N"
                    yield f"{image}\t1\t{opens}\n{image}\t2\t{opens}\n"
                elif fate[at] < 0.95:
                    yield f"{image}\t2\t\\N\n"
                elif fate[at] < 0.98:
                    yield f"{image}\t{keys.groups[groups[at]]}\t\\N\n"
                for link in set(links[at].tolist()):
                    yield f"{image}\t{keys.collections[link]}\t\\N\n"

        self._copy("access_placement (image_id, scope_id, opens)", rows())

    def _copy(self, target, rows):
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            buffer = io.StringIO()
            for at, row in enumerate(rows):
                buffer.write(row)
                if at % 10_000 == 9999:
                    copy.write(buffer.getvalue())
                    buffer = io.StringIO()
            copy.write(buffer.getvalue())


_FACTS = [
    json.dumps(
        {
            "modality": modality,
            "manufacturer": maker,
            "model": f"Scanner {maker[0]}",
            "body_part": {"scheme": "SCT", "value": code, "meaning": meaning},
        }
    )
    for modality in ("CT", "MR", "OPT")
    for maker in ("Acme", "Bolt", "Cord")
    for code, meaning in (("12738006", "Brain"), ("76752008", "Breast"), ("816094009", "Thorax"))
]


def _image_row(row):
    number, key, width, is_volume, digest, stamp = row
    kind = ("volume", "dicom") if is_volume else ("picture", "jpeg")
    depth, spacing = (40 + number % 200, str(0.5 + number % 7 / 10)) if is_volume else (1, r"\N")
    columns = (
        *(number, f"{key[:-12]}{number:012}", f"ISIC_{number:07}", *kind, "image/jpeg", width, width * 3 // 4, depth),
        *(spacing, spacing, 1, "RGB", 8, 3, "", digest, number * 7919, "[]"),
        *(_FACTS[number % len(_FACTS)] if is_volume else "{}", f"{stamp}Z", f"{stamp}Z"),
    )
    return "\t".join(map(str, columns)) + "\n"


def _zipf(number, exponent):
    shares = 1 / np.arange(1, number + 1) ** exponent
    return shares / shares.sum()


def _descriptions(dice):
    """Descriptions to choose from, as JSON: each field with its own share of images, and its own skew of values."""
    columns = []
    for texts, share, shares in _fragments():
        there = dice.random(_DESCRIPTIONS) < share
        drawn = dice.choice(len(texts), _DESCRIPTIONS, p=shares)
        columns.append(
            [texts[value] if is_there else "" for value, is_there in zip(drawn.tolist(), there.tolist(), strict=True)]
        )
    return np.array(["{" + ", ".join(filter(None, parts)) + "}" for parts in zip(*columns, strict=True)], object)


def _fragments():
    """For each field that is drawn at once: pieces of JSON, the share of images that have it, shares of the pieces."""
    from medtheca.toolkit.schemas import DERMATOLOGY

    made = []
    shares = {
        "sex": 0.96,
        "anatom_site": 0.9,
        "diagnosis": 0.85,
        "image_type": 0.99,
        "diagnosis_confirm_type": 0.7,
        "fitzpatrick_skin_type": 0.3,
        "melanocytic": 0.8,
        "dermoscopic_type": 0.5,
        "personal_hx_mm": 0.4,
    }
    for field in DERMATOLOGY.fields:
        if field.level_names:
            paths = sorted(field.vocabulary.values, key=lambda path: (hash_of(path), path))
            texts = [
                ", ".join(
                    f'"{name}": {json.dumps(term)}'
                    for name, term in zip(field.level_names, path.split(":"), strict=False)
                )
                for path in paths
            ]
            made.append((texts, shares[field.name], _zipf(len(texts), 1.2)))
        elif field.name == "age":
            texts = [f'"age": {age}, "age_approx": {field.approximation.of(age)}' for age in range(86)]
            weights = np.exp(-((np.arange(86) - 52) ** 2) / 700)
            made.append((texts, 0.93, weights / weights.sum()))
        elif field.kind == "enum":
            made.append(
                (
                    [f'"{field.name}": {json.dumps(value)}' for value in field.vocabulary.values],
                    shares.get(field.name, 0.1),
                    _zipf(len(field.vocabulary.values), 1.3),
                )
            )
        elif field.kind == "bool":
            made.append(([f'"{field.name}": true', f'"{field.name}": false'], shares.get(field.name, 0.15), [0.4, 0.6]))
        elif field.kind == "decimal":
            texts = [f'"{field.name}": "{step / 10:.2f}"' for step in range(1, 200)]
            made.append((texts, 0.06, _zipf(len(texts), 0.6)))
        elif field.name == "acquisition_day":
            made.append(([f'"acquisition_day": {day}' for day in range(400)], 0.2, _zipf(400, 1.0)))
    return made


def hash_of(text):
    """A number of a text that is the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


class _WithoutChecks:
    """Constraints between tables, indexes and triggers cost most of the time here, and what is written is right."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        self.constraints = self._all(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)"
        )
        self.indexes = self._all(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE NOT indisunique AND indrelid::regclass::text = ANY(%s)"
        )
        for table, name, _ in self.constraints:
            self.connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in self.indexes:
            self.connection.execute(f"DROP INDEX {name}")
        for table in _FILLED:
            self.connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def __exit__(self, *_):
        self.connection.execute("SET maintenance_work_mem = '512MB'")
        for _, words in self.indexes:
            self.connection.execute(words)
        for table in _FILLED:
            self.connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        for table, name, words in self.constraints:
            self.connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {words} NOT VALID')

    def _all(self, statement):
        return self.connection.execute(statement, [list(_FILLED)]).fetchall()
