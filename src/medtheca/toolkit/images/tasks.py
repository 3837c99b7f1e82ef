"""What decoder children are asked to do with a file: examine it, or redact it where the options name boxes."""

import io
from typing import Any

from PIL import Image

from medtheca.toolkit.images import examine, redact


def run(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """As `examine.examine`, or as `redact.redact` with the option `redactions`."""
    return redact.redact(data, options) if options.get("redactions") else examine.examine(data, options)


def warm_up() -> None:
    """Load behind no fence whatever is loaded late."""
    examine.warm_up()
    for mode in ("RGB", "CMYK"):
        file = io.BytesIO()
        Image.new(mode, (40, 30)).save(file, "JPEG")
        redact.redact(memoryview(file.getvalue()), {"redactions": [[0, 0, 4, 4]]})
