"""What decoder children are asked to do with a file: examine, redact or cut it, or say what it is to others."""

import io
from typing import Any

from PIL import Image

from medtheca.toolkit.images import examine, redact, square
from medtheca.toolkit.images.grouping import describe_file


def run(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """As `examine.examine`; as `redact.redact`, `cut_square` or `describe_file` by its option.

    `describe` is a name like the file's: only its suffix matters.
    """
    if name := options.get("describe"):
        return describe_file(data, str(name)), {}
    if "square" in options:
        return square.cut_square(data, options)
    return redact.redact(data, options) if options.get("redactions") else examine.examine(data, options)


def warm_up() -> None:
    """Load behind no fence whatever is loaded late."""
    examine.warm_up()
    for mode in ("RGB", "CMYK"):
        file = io.BytesIO()
        Image.new(mode, (40, 30)).save(file, "JPEG")
        redact.redact(memoryview(file.getvalue()), {"redactions": [[0, 0, 4, 4]]})
