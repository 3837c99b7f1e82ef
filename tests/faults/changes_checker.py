"""Decides whether changes of images kept their promises: file versions, redactions, erasures, dry runs.

Like `checker`, which runs it, it shares no code with what it judges.
"""

import io

from PIL import Image as Picture

_KINDS = ("original", "public", "thumbnail", "web")
_FACTS = ("format", "media_type", "width", "height", "pixel_hash", "perceptual_hash")
_OVER = {"done", "failed"}


class ChangesChecker:
    """`ask` gives rows of a query, all of one moment; `broken` takes a subject and words.

    `midway` is the moment after a process ended by force: work is under way, and yet nothing may be a mix.
    """

    def __init__(self, events, data, ask, broken, counts, *, midway=False):
        self.events, self.data, self.ask, self.broken, self.counts = events, data, ask, broken, counts
        self.midway = midway

    def run(self):
        self._load()
        self.check_versions()
        self.check_pictures()
        if not self.midway:
            self.check_changes()
            self.check_forgotten()
            self.check_tried()

    def of(self, *kinds):
        return [event for event in self.events if event["event"] in kinds]

    def _load(self):
        self.blobs = {row["id"]: row["sha256"] for row in self.ask("SELECT id, sha256 FROM storage_blob")}
        self.versions = self.ask("SELECT * FROM provenance_fileversion ORDER BY accession_id, number")
        self.files = {}
        for row in self.ask("SELECT * FROM provenance_versionfile"):
            self.files.setdefault(row["version_id"], {})[row["kind"]] = (row["blob_id"], row["recipe"])
        self.shown = {}
        for row in self.ask("SELECT * FROM imaging_imagefile"):
            self.shown.setdefault(row["image_id"], {})[row["kind"]] = (row["blob_id"], row["recipe"])
        self.accessions = {row["id"]: row for row in self.ask("SELECT * FROM provenance_accession")}
        self.images = {row["id"]: row for row in self.ask("SELECT * FROM imaging_image")}
        self.current = {row["accession_id"]: row for row in self.versions if row["state"] == "current"}
        # What is to be gone, or on its way to be.
        self.forgotten = {event["mark"] for event in self.of("forgetting")}

    # -- versions

    def check_versions(self):
        """One version is current and at most one under way; an image shows the current one's files, all of them."""
        by_accession = {}
        for row in self.versions:
            by_accession.setdefault(row["accession_id"], []).append(row)
        for key, rows in by_accession.items():
            self.counts["changed accessions"] += 1
            subject, accession = f"accession {key}", self.accessions[key]
            states = [row["state"] for row in rows]
            if states.count("current") != 1:
                self.broken(subject, f"{states.count('current')} of its file versions are current.")
                continue
            if states.count("waiting") + states.count("candidate") > 1:
                self.broken(subject, f"Several file versions are under way: {states}.")
            if not self.midway and "waiting" in states:
                self.broken(subject, "A file version still waits though nothing works.")
            if "candidate" in states and accession["published"] is None:
                self.broken(subject, "A file version is a candidate though nothing of it is published.")
            self._check_current(subject, accession, self.current[key])
            for row in rows:
                self._check_files(f"{subject}, version {row['number']}", row)
            if len({row["delivery_id"] for row in rows if row["number"] > 1 and row["delivery_id"]}) != sum(
                row["number"] > 1 and row["delivery_id"] is not None for row in rows
            ):
                self.broken(subject, "One upload made two file versions.")

    def _check_current(self, subject, accession, current):
        if accession["file_version"] != current["number"] or accession["original_id"] != current["original_id"]:
            self.broken(subject, f"It says version {accession['file_version']}; {current['number']} is current.")
        if self.shown.get(accession["image_id"]) != self.files.get(current["id"]):
            self.broken(subject, f"Its image's files are not those of version {current['number']}.")
        image = self.images[accession["image_id"]]
        if mixed := [name for name in _FACTS if image[name] != current["facts"][name]]:
            self.broken(subject, f"Its image says of {', '.join(mixed)} what version {current['number']} does not.")

    def _check_files(self, subject, row):
        files = self.files.get(row["id"], {})
        if row["state"] in {"waiting", "refused"}:
            if files or (row["state"] == "refused" and row["original_id"]):
                self.broken(subject, f"It is {row['state']} and has files.")
        elif set(files) != set(_KINDS) or files["original"][0] != row["original_id"]:
            self.broken(subject, f"It is {row['state']} and has the files {sorted(files)}.")

    def check_pictures(self):
        """Public copies are what their version says: covered where it is redacted, and nowhere else changed."""
        for key, row in self.current.items():
            accession = self.accessions[key]
            public = self._open(self.shown[accession["image_id"]]["public"][0])
            original = self._open(accession["original_id"])
            if public is None or original is None:
                self.broken(f"accession {key}", "Its original or its public copy has no file.")
                continue
            self.counts["pictures"] += 1
            for x, y, width, height in row["redactions"]:
                if public.crop((x, y, x + width, y + height)).getcolors() != [(width * height, (0, 0, 0))]:
                    self.broken(f"accession {key}", "Its public copy shows what its version covers.")
                for picture in (public, original):
                    picture.paste((0, 0, 0), (x, y, x + width, y + height))
            if public.tobytes() != original.tobytes():
                self.broken(f"accession {key}", f"Its public copy is not that of version {row['number']}.")

    def _open(self, blob):
        sha256 = self.blobs[blob]
        path = self.data / "blobs" / "sha256" / sha256[:2] / sha256
        return Picture.open(io.BytesIO(path.read_bytes())).convert("RGB") if path.is_file() else None

    def check_changes(self):
        """What was acknowledged came: each replacement as one version of what was sent, each redaction as one."""
        for event in self.of("replaced"):
            self.counts["replacements"] += 1
            rows = [row for row in self.versions if str(row["delivery_id"]) == event["upload"]]
            if event["accession"] not in self.accessions and event["mark"] in self.forgotten:
                continue
            (delivery,) = self.ask("SELECT * FROM provenance_delivery WHERE upload_id = %s", event["upload"]) or [None]
            if delivery is not None and delivery["state"] == "refused" and delivery["refusal_code"] and not rows:
                continue  # Another change was under way.
            if len(rows) != 1:
                self.broken(f"upload {event['upload']}", f"It replaces a file and made {len(rows)} versions.")
            elif self.blobs.get(rows[0]["original_id"]) not in event["sha256s"]:
                self.broken(f"upload {event['upload']}", "Its version has other bytes than were sent.")
        for event in self.of("redacted"):
            self.counts["redactions"] += 1
            rows = [row for row in self.versions if row["id"] == event["version"]]
            if not rows and event["accession"] not in self.accessions and event["mark"] in self.forgotten:
                continue
            if [row["state"] for row in rows] not in (["current"], ["superseded"]):
                self.broken(f"version {event['version']}", f"A redaction is {[row['state'] for row in rows]}.")

    # -- erasures and dry runs

    def check_forgotten(self):
        """Of a patient who was erased nothing is left: no word in any table or file, no bytes."""
        done = []
        patients = {event["patient"]: event["mark"] for event in self.of("forgetting")}
        for row in self.ask("SELECT id, state, trouble, patient_public_id FROM provenance_erasure"):
            if row["state"] == "done":
                done.append(patients[row["patient_public_id"]])
            elif row["state"] != "requested":
                self.broken(f"erasure {row['id']}", f"It is {row['state']} though nothing works: {row['trouble']}")
        for event in self.of("forgotten"):
            self.counts["forgotten patients"] += 1
            if event["patient"] not in patients or patients[event["patient"]] not in done:
                self.broken(f"patient {event['patient']}", "The erasure was acknowledged and is not done.")
        self._check_marks(done, "An erased patient")
        for event in self.of("brought", "tying", "replacing"):
            if event["mark"] in done:
                self._check_bytes(event, "An erased patient")

    def check_tried(self):
        """A dry run ended, and stored nothing: no bytes, and no word but in its own report."""
        for event in self.of("trying"):
            self._check_bytes(event, "A dry run")
        self._check_marks([event["mark"] for event in self.of("trying")], "A dry run", but=("trials_inspection",))
        rows = {str(row["id"]): row for row in self.ask("SELECT id, state, words FROM trials_inspection")}
        for event in self.of("tried"):
            self.counts["dry runs"] += 1
            row = rows.get(event["inspection"])
            if row is None or row["state"] != "done":
                self.broken(f"dry run {event['inspection']}", f"It is {row and (row['state'], row['words'])}.")
        for folder in (self.data / "scratch" / "inspections").glob("*"):
            if rows.get(folder.name, {"state": "done"})["state"] in _OVER:
                self.broken(
                    f"dry run {folder.name}", f"Its bytes are there: {[path.name for path in folder.glob('*')]}."
                )

    def _check_bytes(self, event, what):
        for sha256 in event["sha256s"]:
            path = self.data / "blobs" / "sha256" / sha256[:2] / sha256
            if sha256 in self.blobs.values() or path.exists():
                self.broken(f"{what}, {event['mark']}", f"A file of it is in the store after {event['event']}.")

    def _check_marks(self, marks, what, *, but=()):
        if not marks:
            return
        pattern = "|".join(marks)
        for table in self.ask("SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"):
            if table["name"] in but:
                continue
            found = self.ask(f'SELECT t::text AS line FROM "{table["name"]}" t WHERE t::text ~ %s', pattern)
            for row in found[:3]:
                self.broken(what, f"A word of it stands in {table['name']}: {row['line'][:300]}")
        known = [mark.encode() for mark in marks]
        for path in self.data.rglob("*"):
            if "database" not in path.relative_to(self.data).parts and path.is_file():
                text = path.read_bytes()
                if any(mark in text or mark in path.name.encode() for mark in known):
                    self.broken(what, f"A word of it stands in {path.relative_to(self.data)}.")

    # -- after the upkeep

    def check_settled(self):
        """After an upkeep without patience every blob is needed, and every file of the store has a row."""
        columns = self.ask("""
            SELECT c.conrelid::regclass::text AS name, a.attname AS field FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND c.confrelid = 'storage_blob'::regclass""")
        used = set()
        for column in columns:
            if (column["name"], column["field"]) == ("storage_bundlepart", "bundle_id"):
                continue  # A list does not keep itself.
            used |= {row["key"] for row in self.ask(f"SELECT {column['field']} AS key FROM {column['name']}")}
        for key in set(self.blobs) - used:
            self.broken(f"blob {self.blobs[key]}", "Nothing points to it, and it is still there after the upkeep.")
        there = {path.name for path in (self.data / "blobs" / "sha256").glob("*/*")}
        for name in there ^ set(self.blobs.values()):
            self.broken(f"blob {name}", "It has a file and no row, or a row and no file.")
