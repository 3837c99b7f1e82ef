"""What a page says to people."""

import re


def words(answer):
    """The text of an answer, without its tags, on one line."""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text.replace("&quot;", '"').replace("&#x27;", "'"))
