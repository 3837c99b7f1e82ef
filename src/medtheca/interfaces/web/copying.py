"""A search in other words: the query, an address of the API, a command, a program."""

from __future__ import annotations

import json
import shlex

from django.utils.http import urlencode

from medtheca.interfaces.web.searching import Search
from medtheca.toolkit.querylang import LONGEST_QUERY, Everything

_SEARCH = "/api/v2/images/search/"
_PANDAS = """import pandas as pd
import requests

address, rows = {address}, []
while address:
    # What only you see comes with a token: headers={{"Authorization": "Bearer ..."}}
    answer = requests.get(address, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    rows += page["results"]
    address = page["next"]
images = pd.json_normalize(rows)"""


def copies_of(search: Search, site: str) -> list[dict[str, str]]:
    """Each way to ask the same, `{label, text}`. `site` is the archive's address, such as `https://archive.example`."""
    text = search.text
    if len(text) > LONGEST_QUERY:
        return []
    query: dict[str, str] = {} if isinstance(search.tree, Everything) else {"query": text}
    command = ["isic", "image", "download", *(["--search", text] if query else []), "images"]
    metadata = ["isic", "metadata", "download", *(["--search", text] if query else []), "-o", "metadata.csv"]
    pages = f"{site}{_SEARCH}?{urlencode({**query, 'limit': '100'})}"
    return [
        {"label": "Query", "text": text or "*"},
        {"label": "API", "text": f"{site}{_SEARCH}" + (f"?{urlencode(query)}" if query else "")},
        {"label": "isic-cli", "text": f"{shlex.join(command)}\n{shlex.join(metadata)}"},
        # JSON quotes a text as Python does.
        {"label": "pandas", "text": _PANDAS.format(address=json.dumps(pages))},
    ]
