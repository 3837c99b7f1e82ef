"""Decides whether images of several files kept their promises: all files there, each as it was sent, nothing held back.

Like `checker`, which runs it, it shares no code with what it judges.
"""

import json
from collections import Counter, defaultdict


class CasesChecker:
    """`ask` gives rows of a query, all of one moment; `broken` takes a subject and words.

    `settled` is after an upkeep without patience: nothing of what a crash left lies about any more.
    """

    def __init__(self, data, ask, broken, counts, *, settled):
        self.data, self.ask, self.broken, self.counts, self.settled = data, ask, broken, counts, settled
        self.blobs = {row["id"]: row for row in ask("SELECT id, sha256, size FROM storage_blob")}
        self.parts = defaultdict(list)
        for row in ask("SELECT * FROM storage_bundlepart ORDER BY bundle_id, ordinal"):
            self.parts[row["bundle_id"]].append((row["path"], self.blobs[row["blob_id"]]["sha256"]))

    def is_case(self, accession):
        """Whether an accession holds a bundle; what is in it was compared with what was sent."""
        return accession["original_id"] in self.parts

    def content(self, accession):
        """The SHA-256 of all files of which an accession is made."""
        return tuple(sorted(sha256 for _path, sha256 in self.parts[accession["original_id"]]))

    def check_case(self, subject, accession, members):
        """Its bundle is of what was sent: all of it, nothing else, under the names by which files find each other."""
        if accession is None:
            self.broken(subject, "No accession answers for it.")
            return
        parts = self.parts.get(accession["original_id"], [])
        if Counter(sha256 for _path, sha256 in parts) != Counter(member["sha256"] for member in members):
            self.broken(subject, f"{len(members)} files were sent; its bundle has {len(parts)}, or others.")
        named = {member["inner"]: member["sha256"] for member in members if member["inner"]}
        if named and named != dict(parts):
            self.broken(subject, f"Its bundle calls its files {[path for path, _sha256 in parts]}.")

    def check_file(self, subject, accession, member):
        """The file is a part of the accession that answers for it."""
        if member["sha256"] not in {sha256 for _path, sha256 in self.parts.get(accession["original_id"], [])}:
            self.broken(subject, f"Accession {accession['id']} answers for it and does not hold it.")

    def check_all(self, accessions):
        """`accessions` by key: those whose files are judged by what was sent."""
        self._check_once(accessions)
        self._check_lists()
        self._check_held()
        if self.settled:
            self._check_left()

    def _check_once(self, accessions):
        seen = Counter()
        for row in accessions.values():
            if self.is_case(row):
                seen[row["cohort_id"], self.content(row)] += 1
        for (cohort, content), count in seen.items():
            if count > 1:
                self.broken(f"cohort {cohort}", f"Twice: {count} accessions are made of the same {len(content)} files.")

    def _check_lists(self):
        """The list of a bundle, which is a blob, says what its rows say."""
        for key, parts in self.parts.items():
            self.counts["bundles"] += 1
            sha256 = self.blobs[key]["sha256"]
            path = self.data / "blobs" / "sha256" / sha256[:2] / sha256
            listed = json.loads(path.read_bytes())["files"] if path.is_file() else []
            if [(file["path"], file["sha256"]) for file in listed] != parts:
                self.broken(
                    f"bundle {sha256}", f"Its list names {len(listed)} files, its rows {len(parts)}, or others."
                )
        for row in self.ask("""
            SELECT f.image_id, f.blob_id FROM imaging_imagefile f WHERE f.kind = 'original'
            AND f.media_type = 'application/vnd.medtheca.bundle+json'
            AND NOT EXISTS (SELECT FROM storage_bundlepart p WHERE p.bundle_id = f.blob_id)"""):
            self.broken(f"image {row['image_id']}", "Its original is a bundle of no files.")

    def _check_held(self):
        for row in self.ask("""
            SELECT h.delivery_id, d.state, count(*) AS files FROM provenance_heldfile h
            JOIN provenance_delivery d ON d.upload_id = h.delivery_id GROUP BY 1, 2"""):
            self.broken(
                f"delivery {row['delivery_id']}",
                f"{row['files']} of its files are held though it is {row['state']} and nothing works.",
            )

    def _check_left(self):
        """Folders of cases, staged files and parts of uploads that are over."""
        for folder in (self.data / "cases", self.data / "blobs" / "staging"):
            for path in folder.glob("*"):
                self.broken(f"{folder.name}/{path.name}", "It is left though nothing works and the upkeep has run.")
        receiving = {str(row["id"]) for row in self.ask("SELECT id FROM storage_upload WHERE state = 'receiving'")}
        for path in (self.data / "uploads").glob("*.part"):
            if path.stem not in receiving:
                self.broken(f"uploads/{path.name}", "It is left though its upload is over.")
