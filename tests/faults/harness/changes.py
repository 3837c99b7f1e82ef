"""What happens to images that are there: files replaced and redacted, patients erased; and dry runs beside them.

All of it in a cohort of its own, so that the ingests of the others can be judged by what was sent. Each patient has a
mark that nothing else has, in private id, file names and reasons: whatever of it is left after an erasure is found.
"""

import csv
import hashlib
import io
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.erasing import confirm_erasure, request_erasure
from medtheca.domains.provenance.models import Accession, Cohort, Erasure, FileVersion, Patient
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.storage.upkeep import run_upkeep
from medtheca.domains.trials.operations import sweep_inspections
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.inspect import Given, begin_inspection
from medtheca.workflows.local_ingest import deliver_paths
from medtheca.workflows.redact import request_redaction
from medtheca.workflows.replace import replace_with_file
from tests.faults.harness.pictures import picture

OWNER, STAFF = "alice@example.org", "sam@example.org"
_IMAGES = 3
_BOX = [1, 1, 4, 3]


class Changer:
    """Acts on the cohort `changing`. Whoever has it gives `seed`, `number`, `history` and `changing`."""

    def bring(self, rng):
        """Images of a new patient, delivered together with nobody else's."""
        mark = f"zq{self.number}x{rng.randrange(16**6):06x}"
        names = [f"{mark}-{index}.jpg" for index in range(_IMAGES)]
        data = {name: picture(f"{self.seed} {name}") for name in names}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{mark}.zip")
            with zipfile.ZipFile(path, "w") as archive:
                for name in names:
                    archive.writestr(zipfile.ZipInfo(name), data[name])
            sent = [*map(_sha256, data.values()), _sha256(path.read_bytes())]
            self.history.note("brought", mark=mark, cohort=self.changing, sha256s=sent)
            deliver_paths(user=_alice(), cohort=_cohort(self), paths=[path], progress=lambda _: None)

    def tie(self, rng):
        """A spreadsheet that says whose images they are."""
        loose = Accession.objects.filter(cohort=self.changing, state="converted", patient=None).order_by("pk").first()
        if loose is None:
            return
        mark = loose.name.split("-")[0]
        names = list(
            Accession.objects.filter(cohort=self.changing, name__startswith=mark).values_list("name", flat=True)
        )
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerows([["filename", "age", "patient_id"], *([name, 50, f"{mark}-P"] for name in names)])
        self.history.note("tying", mark=mark, sha256s=[_sha256(table.getvalue().encode())])
        give_metadata(
            user=_alice(),
            cohort_id=self.changing,
            name=f"{mark}.csv",
            data=table.getvalue().encode(),
            reason="Described anew.",
        )

    def show(self, rng):
        """Publish what can be published."""
        request = request_publication(cohort=_cohort(self), requester=_alice(), visibility="public")
        decide_publication(request_id=request.pk, staff=_sam(), accept=True)

    def replace(self, rng):
        accession = self._pick(rng)
        if accession is None:
            return
        mark = accession.name.split("-")[0]
        data = picture(f"{self.seed} replacement {self.number} {accession.pk}")
        told = {"accession": accession.pk, "mark": mark, "sha256s": [_sha256(data)]}
        self.history.note("replacing", **told)
        upload = replace_with_file(
            user=_alice(),
            accession_id=accession.pk,
            filename=f"{mark}-r{self.number}.jpg",
            size=len(data),
            chunks=[data],
            reason=f"A sharper one of {mark}.",
        )
        self.history.note("replaced", upload=str(upload.pk), **told)

    def judge(self, rng):
        """Accept or reject the files that wait beside published ones."""
        for version in FileVersion.objects.filter(state="candidate", accession__cohort=self.changing).order_by("pk"):
            decision = rng.choice(["accepted", "accepted", "rejected"])
            record_reviews(
                accession_ids=[version.accession_id],
                reviewer=_sam(),
                decision=decision,
                reason="" if decision == "accepted" else "Not as sharp.",
            )

    def redact(self, rng):
        accession = self._pick(rng)
        if accession is None:
            return
        version = request_redaction(
            user=_alice(), accession_id=accession.pk, boxes=[_BOX], reason=f"A label of {accession.name}."
        )
        mark = accession.name.split("-")[0]
        self.history.note("redacted", accession=accession.pk, version=version.pk, mark=mark)

    def try_out(self, rng):
        """A dry run of images, a ZIP and a spreadsheet."""
        mark = f"zt{self.number}x{rng.randrange(16**6):06x}"
        single, inner = (picture(f"{mark} {kind}") for kind in ("single", "inner"))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{mark}-inner.jpg", inner)
        sheet = f"filename,age\n{mark}-single.jpg,50\n".encode()
        given = {f"{mark}-single.jpg": single, f"{mark}.zip": packed.getvalue(), f"{mark}.csv": sheet}
        self.history.note("trying", mark=mark, sha256s=[*map(_sha256, given.values()), _sha256(inner)])
        made = begin_inspection(user=_alice(), given=[Given(name, len(data), [data]) for name, data in given.items()])
        self.history.note("tried", mark=mark, inspection=str(made.pk))

    def forget(self, rng):
        """Have a patient erased; one whose erasure was asked for and not confirmed comes first."""
        asked = Erasure.objects.filter(state="requested").order_by("pk").first()
        if asked is None:
            open_ones = Erasure.objects.filter(state="erasing").values("patient_public_id")
            patients = Patient.objects.filter(contributor=_cohort(self).contributor).order_by("pk")
            patient = patients.exclude(public_id__in=open_ones).first()
            if patient is None:
                return
            self.history.note("forgetting", mark=patient.private_id.split("-")[0], patient=patient.public_id)
            asked = request_erasure(user=_alice(), patient_public_id=patient.public_id, reason="patient")
        confirm_erasure(user=_sam(), erasure_id=asked.pk, typed=asked.patient_public_id)
        self.history.note("forgotten", erasure=str(asked.pk), patient=asked.patient_public_id)

    def settle(self, rng):
        """The upkeep, without the patience that work under way needs. Only while nothing works."""
        none = timedelta(0)
        # What only a list held goes after the list.
        for _ in range(2):
            swept = run_upkeep(tombstone_grace=none, sweep_window=none, stray_grace=none)
            assert not swept.postponed, swept.postponed
        sweep_inspections(grace=none)

    def _pick(self, rng):
        """A converted image without a change under way."""
        rows = Accession.objects.filter(cohort=self.changing, state="converted").order_by("pk")
        free = list(rows.exclude(file_versions__state__in=["waiting", "candidate"]))
        return rng.choice(free) if free else None


def _cohort(changer):
    return Cohort.objects.select_related("contributor").get(pk=changer.changing)


def _alice():
    return User.objects.get(email=OWNER)


def _sam():
    return User.objects.get(email=STAFF)


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
