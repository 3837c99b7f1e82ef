"""Print the description of the API as it is committed: `python -m medtheca.interfaces.api.v1.openapi > FILE`."""

from __future__ import annotations

import json
import sys


def description() -> str:
    """The OpenAPI document, sorted, so that a change of the API is a small difference."""
    # Only now: Django must be set up before.
    from medtheca.interfaces.api.v1.addresses import PREFIX
    from medtheca.interfaces.api.v1.api import api

    return json.dumps(api.get_openapi_schema(path_prefix=PREFIX), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    django.setup()
    sys.stdout.write(description())
