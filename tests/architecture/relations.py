"""Prints foreign keys that point up, and domains without a place; exits 1 where there are any. Runs in any tree."""

import sys

import django

django.setup()
from django.apps import apps  # noqa: E402  (models exist only after setup)

ORDER = [
    "ledger",
    "accounts",
    "storage",
    "trials",
    "imaging",
    "access",
    "provenance",
    "metadata",
    "search",
    "downloads",
    "sockets",
    "viewing",
    "collections",
    "archives",
    "studies",
]


def strangers():
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("medtheca.domains.")}
    return [f"{label} has no place in the order of domains" for label in sorted(ours - set(ORDER))]


def upward_relations():
    return [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label} points up"
        for model in apps.get_models()
        if model._meta.app_label in ORDER
        for field in model._meta.get_fields()
        if field.is_relation
        and not field.auto_created
        and field.related_model
        and field.related_model._meta.app_label in ORDER
        and ORDER.index(field.related_model._meta.app_label) > ORDER.index(model._meta.app_label)
    ]


if __name__ == "__main__":
    found = strangers() + upward_relations()
    print("\n".join(found))
    sys.exit(1 if found else 0)
