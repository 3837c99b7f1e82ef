"""Where Django keeps files of forms while it reads them: a folder that upkeep empties, should the process be killed."""

from __future__ import annotations

import tempfile
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from medtheca.domains.trials.scratch import scratch_root


class _ScratchFile(TemporaryUploadedFile):
    """A temporary file of a form, in the scratch folder and without anything of its name."""

    def __init__(
        self, name: str | None, content_type: str | None, charset: str | None, extra: dict[str, Any] | None
    ) -> None:
        folder = scratch_root()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder)  # noqa: SIM115 - Django closes it with the request, which removes it
        UploadedFile.__init__(self, file, name, content_type, 0, charset, extra)


class ScratchUploadHandler(TemporaryFileUploadHandler):
    """Django's handler of large files, writing there."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = _ScratchFile(self.file_name, self.content_type, self.charset, self.content_type_extra)
