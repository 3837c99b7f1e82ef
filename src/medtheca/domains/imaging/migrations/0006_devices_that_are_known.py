"""Facts that were kept before makers and models were looked at: what is not known becomes what is stated."""

from typing import Any

from django.db import migrations
from django.db.models import Q

from medtheca.toolkit.images.devices import device_facts

_AT_ONCE = 1000


def look_again(apps: Any, schema_editor: object) -> None:  # noqa: ARG001 - Django passes it
    images = apps.get_model("imaging", "Image")
    rows = images.objects.filter(Q(facts__has_key="manufacturer") | Q(facts__has_key="model"))
    changed = []
    for image in rows.only("facts").iterator(chunk_size=_AT_ONCE):
        told = device_facts(image.facts.get("manufacturer"), image.facts.get("model"))
        if told["stated"]:
            kept = {name: value for name, value in image.facts.items() if name not in told}
            image.facts = kept | {name: value for name, value in told.items() if value}
            changed.append(image)
        if len(changed) == _AT_ONCE:
            images.objects.bulk_update(changed, ["facts"])
            changed = []
    images.objects.bulk_update(changed, ["facts"])


class Migration(migrations.Migration):
    dependencies = [("imaging", "0005_source_of_files")]
    operations = [migrations.RunPython(look_again, migrations.RunPython.noop, elidable=True)]
