"""A decoder of cases that reads DICOM and nothing else."""

import hashlib

from medtheca.toolkit.images.dicom.headers import warm_up
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.dicom import DicomReader
from medtheca.toolkit.images.slide import Document

__all__ = ["run", "warm_up"]


def run(folder, outputs, options, progress):
    content = DicomReader().read(Files(folder, tuple(options["names"])), memory=200_000_000)
    if isinstance(content, Document):
        return {"kind": content.kind}
    return {"shape": list(content.voxels.shape), "sha256": hashlib.sha256(content.voxels.tobytes()).hexdigest()}
