"""Decides whether an archive kept its promises: `python tests/faults/checker.py HISTORY DATA DATABASE_URL [MOMENT]`.

A program of its own that shares no code with what it judges: it reads the clients' histories, the database by plain
SQL, and the blobs by hashing them itself. Run it while nothing works. Prints JSON; exits 1 where a promise was broken.
MOMENT is `midway` after a process ended by force, when only what holds at every moment is judged, or `settled` after an
upkeep without patience.
"""

import hashlib
import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

# Isolated, Python does not look for modules beside a program.
sys.path.insert(0, str(Path(__file__).parent))
from cases_checker import CasesChecker
from changes_checker import ChangesChecker

FINAL = {"accepted", "linked", "duplicate", "skipped", "refused"}


class Checker:
    def __init__(self, history, data, url, moment):
        self.events = _read(history)
        self.data, self.moment = data, moment
        self.blobs = data / "blobs" / "sha256"
        self.url = url
        self.violations = []
        self.counts = defaultdict(int)
        self._hashes = {}

    def run(self):
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            # One moment for all questions.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self.ask = lambda sql, *values: connection.execute(sql, values or None).fetchall()
            changes = ChangesChecker(
                self.events, self.data, self.ask, self.broken, self.counts, midway=self.moment == "midway"
            )
            changes.run()
            if self.moment == "midway":
                return self.violations
            if self.moment == "settled":
                changes.check_settled()
            self.cases = CasesChecker(self.data, self.ask, self.broken, self.counts, settled=self.moment == "settled")
            self._load()
            self.check_offsets()
            self.check_uploads()
            self.check_deliveries()
            self.check_accessions()
            self.cases.check_all({key: row for key, row in self.accessions.items() if self._is_ours(row)})
            self.check_nothing_unsent()
            self.check_nothing_twice()
            self.check_publication()
            self.check_metadata()
            self.check_queue()
            self.check_erased()
        return self.violations

    def broken(self, subject, words):
        self.violations.append({"subject": str(subject), "words": words})

    def _load(self):
        self.intents = {(event["client"], event["delivery"]): event for event in self.of("intent")}
        self.uploads = {str(row["id"]): row for row in self.ask("SELECT * FROM storage_upload")}
        self.blob_rows = {row["id"]: row for row in self.ask("SELECT * FROM storage_blob")}
        self.verdicts = defaultdict(list)
        for row in self.ask("SELECT * FROM provenance_verdict ORDER BY delivery_id, ordinal"):
            self.verdicts[str(row["delivery_id"])].append(row)
        self.accessions = {row["id"]: row for row in self.ask("SELECT * FROM provenance_accession")}
        self.deliveries = {str(row["upload_id"]): row for row in self.ask("SELECT * FROM provenance_delivery")}
        # What happens there is for the other checker to judge.
        self.changing = {event["cohort"] for event in self.of("brought")}

    def of(self, *kinds):
        return [event for event in self.events if event["event"] in kinds]

    # -- what clients were told

    def check_offsets(self):
        """An acknowledged offset never goes back, neither towards the client nor in the table."""
        highest = defaultdict(int)
        for event in self.of("offset"):
            self.counts["offsets"] += 1
            upload = event["upload"]
            if event["offset"] < highest[upload]:
                self.broken(f"upload {upload}", f"{highest[upload]} bytes were acknowledged, later {event['offset']}.")
            highest[upload] = max(highest[upload], event["offset"])
        for upload, offset in highest.items():
            row = self.uploads.get(upload)
            if row is not None and row["offset"] < offset:
                self.broken(f"upload {upload}", f"{offset} bytes were acknowledged; the table has {row['offset']}.")

    def check_uploads(self):
        """What was acknowledged as begun is there, and what was acknowledged as whole ended."""
        for event in self.of("created", "complete"):
            self.counts[event["event"]] += 1
            row = self.uploads.get(event["upload"])
            if row is None:
                self.broken(f"upload {event['upload']}", f"It was acknowledged ({event['event']}) and is not there.")
            elif event["event"] == "complete" and row["offset"] != row["size"]:
                self.broken(
                    f"upload {event['upload']}", f"It was whole and has {row['offset']} of {row['size']} bytes."
                )
        for upload, row in self.uploads.items():
            # Also those of which the client never heard: whole is whole.
            if row["offset"] == row["size"] and row["state"] not in {"unpacked", "cancelled"}:
                self.broken(f"upload {upload}", f"It is whole and still {row['state']} though nothing works.")

    def check_deliveries(self):
        """Every file of a whole upload has exactly one final verdict, and the right one."""
        # A filename stands for one intent, since clients number them.
        by_name = {event["filename"]: event for event in self.intents.values()}
        for upload, row in self.uploads.items():
            intent, delivery = by_name.get(row["filename"]), self.deliveries.get(upload)
            if delivery is not None and delivery["cohort_id"] in self.changing:
                self._check_other_delivery(upload, delivery)
                continue
            if intent is None or row["size"] != intent["size"]:
                self.broken(f"upload {upload}", f"Nobody sent {row['filename']} with {row['size']} bytes.")
                continue
            if delivery is None:
                self.broken(f"upload {upload}", "It has no delivery.")
            elif row["offset"] == row["size"]:
                self.counts["deliveries"] += 1
                self._check_delivery(upload, delivery, intent)

    def _check_other_delivery(self, upload, delivery):
        row = self.uploads[upload]
        if row["offset"] == row["size"] and (delivery["state"] not in {"done", "refused"} or not delivery["finished"]):
            self.broken(f"delivery {upload}", f"It is {delivery['state']} though nothing works.")
        for verdict in self.verdicts[upload]:
            if verdict["outcome"] not in FINAL or not verdict["words"] or not verdict["code"]:
                self.broken(f"delivery {upload}", f"A verdict is {verdict['outcome']} ({verdict['code']}).")

    def _check_delivery(self, upload, delivery, intent):
        wanted = "refused" if intent["container"] == "unreadable" else "done"
        if delivery["state"] != wanted or delivery["finished"] is None:
            self.broken(f"delivery {upload}", f"It is {delivery['state']} and should be {wanted}.")
        if wanted == "refused" and not (delivery["refusal"] and delivery["refusal_code"]):
            self.broken(f"delivery {upload}", "It is refused without words.")
        if delivery["cohort_id"] != intent["cohort"]:
            self.broken(f"delivery {upload}", f"It is in cohort {delivery['cohort_id']}, not {intent['cohort']}.")
        if wanted == "done" and delivery["members"] != len(intent["members"]):
            self.broken(
                f"delivery {upload}", f"{len(intent['members'])} files were sent, {delivery['members']} counted."
            )
        verdicts = defaultdict(list)
        for verdict in self.verdicts[upload]:
            verdicts[verdict["path"]].append(verdict)
        for member in intent["members"]:
            found = verdicts.pop(member["path"], [])
            if len(found) != 1:
                self.broken(f"delivery {upload}", f"{member['path']} has {len(found)} verdicts.")
                continue
            self.counts["verdicts"] += 1
            self._check_verdict(f"delivery {upload}, {member['path']}", found[0], member, delivery)
        self._check_cases(f"delivery {upload}", intent, self.verdicts[upload])
        for path in verdicts:
            self.broken(f"delivery {upload}", f"There is a verdict on {path}, which was not sent.")

    def _check_cases(self, subject, intent, verdicts):
        """The files of a case have one accession, which is made of them and of nothing else."""
        answers = {row["path"]: row["accession_id"] or row["other_id"] for row in verdicts}
        for name, members in _by_case(intent).items():
            self.counts["cases"] += 1
            holders = {answers.get(member["path"]) for member in members}
            if len(holders) != 1:
                self.broken(subject, f"{name} has the accessions {holders}.")
                continue
            self.cases.check_case(f"{subject}, {name}", self.accessions.get(holders.pop()), members)

    def _is_ours(self, accession):
        return accession["cohort_id"] not in self.changing

    def _check_verdict(self, subject, verdict, member, delivery):
        outcome = verdict["outcome"]
        if outcome not in FINAL:
            self.broken(subject, f"Its verdict is {outcome}.")
        if not verdict["words"] or not verdict["code"]:
            self.broken(subject, f"It is {outcome} without words.")
        allowed = {"good": {"accepted", "linked", "duplicate"}, "junk": {"skipped"}, "bad": {"refused"}}
        if outcome in FINAL and outcome not in allowed[member["fate"]]:
            self.broken(subject, f"A {member['fate']} file is {outcome} ({verdict['code']}: {verdict['words']}).")
        if member["fate"] != "good":
            return
        holder = self.accessions.get(verdict["accession_id"] or verdict["other_id"])
        if holder is None:
            self.broken(subject, f"It is {outcome} ({verdict['code']}) and no accession answers for it.")
            return
        name = unicodedata.normalize("NFC", member.get("case") or member["path"].rsplit("/", 1)[-1])
        if holder["cohort_id"] != delivery["cohort_id"] or holder["name_key"] != name:
            self.broken(subject, f"Accession {holder['id']} answers for it, in another cohort or by another name.")
        if outcome == "duplicate":
            return
        if "case" in member:
            self.cases.check_file(subject, holder, member)
            return
        blob = self.blob_rows.get(holder["original_id"])
        if blob is None or blob["sha256"] != member["sha256"]:
            self.broken(subject, f"Accession {holder['id']} holds {blob and blob['sha256']}, not what was sent.")

    # -- what is there

    def check_accessions(self):
        """Converted with all its files and their right bytes, or refused with nothing: never half."""
        files = defaultdict(dict)
        for row in self.ask("SELECT * FROM imaging_imagefile"):
            files[row["image_id"]][row["kind"]] = row["blob_id"]
        for key, row in self.accessions.items():
            self.counts["accessions"] += 1
            if row["state"] == "received":
                self.broken(f"accession {key}", "It still waits though nothing works.")
            elif row["state"] == "converted":
                self._check_image(f"accession {key}", row["original_id"], files.get(row["image_id"], {}))
            elif row["original_id"] or row["image_id"]:
                self.broken(f"accession {key}", f"It is {row['state']} and has bytes or an image.")
        for row in self.blob_rows.values():
            if row["state"] == "stored":
                self._check_blob("the table of blobs", row["id"])

    def _check_image(self, subject, original, files):
        # Volumes have more.
        if set(files) - {"geometry", "small"} != {"original", "public", "thumbnail", "web"}:
            self.broken(subject, f"It is converted and has the files {sorted(files)}.")
        if files.get("original") != original:
            self.broken(subject, "Its image was not made of its original.")
        for blob in {original, *files.values()}:
            self._check_blob(subject, blob)

    def _check_blob(self, subject, key):
        row = self.blob_rows.get(key)
        if row is None:
            self.broken(subject, f"It needs blob {key}, which has no row.")
            return
        if row["state"] != "stored":
            self.broken(subject, f"It needs blob {row['sha256']}, which is {row['state']}.")
        sha256 = row["sha256"]
        if sha256 not in self._hashes:
            path = self.blobs / sha256[:2] / sha256
            self._hashes[sha256] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
            self.counts["blobs"] += 1
        if self._hashes[sha256] != sha256:
            self.broken(subject, f"Blob {sha256} has {self._hashes[sha256]} on disk.")

    def check_nothing_unsent(self):
        """No accession holds what nobody sent to its cohort."""
        sent = {
            (intent["cohort"], member["sha256"], member["path"])
            for intent in self.intents.values()
            for member in intent["members"]
        }
        cases = set()
        for intent in self.intents.values():
            for members in _by_case(intent).values():
                cases.add((intent["cohort"], tuple(sorted(member["sha256"] for member in members))))
        for key, row in self.accessions.items():
            blob = self.blob_rows.get(row["original_id"])
            if not blob or not self._is_ours(row):
                continue
            if self.cases.is_case(row):
                if (row["cohort_id"], self.cases.content(row)) not in cases:
                    self.broken(f"accession {key}", f"Nobody sent the files of {row['name']} together.")
                continue
            if (row["cohort_id"], blob["sha256"], row["original_path"]) not in sent:
                self.broken(f"accession {key}", f"Nobody sent {row['original_path']} with {blob['sha256']}.")

    def check_nothing_twice(self):
        """Names and contents in a cohort, accessions of an image, public ids, blobs, placements, verdicts."""
        for what, sql in {
            "names": """SELECT cohort_id, name_key, count(*) FROM provenance_accession WHERE state <> 'refused'
                GROUP BY 1, 2 HAVING count(*) > 1""",
            "contents": """SELECT cohort_id, original_id, count(*) FROM provenance_accession
                WHERE state <> 'refused' AND same_as_id IS NULL GROUP BY 1, 2 HAVING count(*) > 1""",
            "images": """SELECT image_id, count(*) FROM provenance_accession WHERE image_id IS NOT NULL
                GROUP BY 1 HAVING count(*) > 1""",
            "orphaned images": """SELECT i.id FROM imaging_image i
                WHERE NOT EXISTS (SELECT FROM provenance_accession a WHERE a.image_id = i.id)""",
            "public ids": """SELECT public_id, count(*) FROM imaging_image WHERE public_id IS NOT NULL
                GROUP BY 1 HAVING count(*) > 1""",
            "blobs": "SELECT sha256, count(*) FROM storage_blob GROUP BY 1 HAVING count(*) > 1",
            "placements": "SELECT image_id, scope_id, count(*) FROM access_placement GROUP BY 1, 2 HAVING count(*) > 1",
            "events of conversion": """SELECT a, count(*) FROM ledger_event e,
                jsonb_array_elements(e.details -> 'accessions') a WHERE e.verb = 'accessions.converted'
                GROUP BY 1 HAVING count(*) > 1""",
            # What the signed-in see may be asked for again, for the public.
            "events of publication": """SELECT i, e.details -> 'visibility' AS visibility, count(*) FROM ledger_event e,
                jsonb_array_elements(e.details -> 'images') i WHERE e.verb = 'images.published'
                GROUP BY 1, 2 HAVING count(*) > 1""",
            "events of reception": """SELECT subject_id, count(*) FROM ledger_event
                WHERE verb = 'delivery.received' GROUP BY 1 HAVING count(*) > 1""",
        }.items():
            for row in self.ask(sql):
                self.broken(what, f"Twice: {json.dumps(row, default=str)}")

    def check_publication(self):
        """What was accepted is published, and nothing else is to be seen."""
        for event in self.of("published"):
            self.counts["publications"] += 1
            (row,) = self.ask("SELECT * FROM provenance_publishrequest WHERE id = %s", event["request"]) or [None]
            if row is None or row["state"] != "published":
                self.broken(f"request {event['request']}", f"It was accepted and is {row and row['state']}.")
        for row in self.ask("""
            SELECT a.id, a.cohort_id, a.published, p.outcome, i.public_id, r.state, r.visibility, p.done,
                EXISTS (SELECT FROM provenance_review v WHERE v.accession_id = a.id AND NOT v.standing)
                AND NOT EXISTS (SELECT FROM provenance_review v WHERE v.accession_id = a.id AND v.standing
                    AND v.decision = 'accepted' AND v.at <= r.decided) AS anew,
                EXISTS (SELECT FROM access_placement l JOIN access_scope s ON s.id = l.scope_id
                    WHERE l.image_id = i.id AND s.kind = r.visibility) AS hangs
            FROM provenance_publishitem p JOIN provenance_publishrequest r ON r.id = p.request_id
            JOIN provenance_accession a ON a.id = p.accession_id LEFT JOIN imaging_image i ON i.id = a.image_id"""):
            whole = row["published"] and row["public_id"] and row["hangs"] and row["done"]
            # A file that was replaced since is not what was accepted.
            left_out = row["cohort_id"] in self.changing and row["done"] and row["outcome"] != "published"
            # One that was described anew after it was accepted has to be looked at again. A review that stands never
            # ceased to: one as old as the decision would have had it published. Another circle is another request.
            left_out |= row["outcome"] == "not_accepted" and row["anew"] and not row["hangs"]
            if row["state"] == "published" and not whole and not left_out:
                self.broken(f"accession {row['id']}", f"Its request is published; it is not: {row}.")
            if row["state"] == "publishing":
                self.broken(f"accession {row['id']}", "Its request is still being worked on though nothing works.")
        for row in self.ask("""
            SELECT DISTINCT l.image_id FROM access_placement l JOIN access_scope s ON s.id = l.scope_id
            WHERE s.kind IN ('public', 'signed_in') AND NOT EXISTS (
                SELECT FROM provenance_accession a JOIN provenance_publishitem p ON p.accession_id = a.id
                JOIN provenance_publishrequest r ON r.id = p.request_id
                WHERE a.image_id = l.image_id AND r.decided IS NOT NULL)"""):
            self.broken(f"image {row['image_id']}", "It is to be seen and nobody decided so.")

    def check_metadata(self):
        for event in self.of("described"):
            self.counts["spreadsheets"] += 1
            (row,) = self.ask("SELECT * FROM metadata_metadatafile WHERE id = %s", event["file"]) or [None]
            if row is None or row["state"] != "applied":
                self.broken(f"spreadsheet {event['file']}", f"It was taken and is {row and row['state']}: {row}.")

    def check_queue(self):
        for row in self.ask("""SELECT id, task_name, status, attempts FROM procrastinate_jobs
            WHERE status <> 'succeeded' AND task_name <> 'ledger.seal'"""):
            self.broken(f"job {row['id']}", f"{row['task_name']} is {row['status']} after {row['attempts']} attempts.")

    def check_erased(self):
        known = {row["sha256"] for row in self.blob_rows.values()}
        for event in self.of("erased"):
            self.counts["erasures"] += 1
            sha256 = event["sha256"]
            if sha256 in known or (self.blobs / sha256[:2] / sha256).exists():
                self.broken(f"blob {sha256}", "It was erased and is there.")


def _by_case(intent):
    """Members of a delivery that are files of a case, by what that is called."""
    found = defaultdict(list)
    for member in intent["members"]:
        if member.get("case"):
            found[member["case"]].append(member)
    return found


def _read(folder):
    events = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                events.append(json.loads(line) | {"client": path.stem})
            except ValueError:
                continue  # The client was killed while it wrote; it had not been told yet.
    return events


def main():
    history, data, url, *moment = sys.argv[1:]
    checker = Checker(Path(history), Path(data), url, moment[0] if moment else "")
    violations = checker.run()
    json.dump({"counts": checker.counts, "violations": violations}, sys.stdout)
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
