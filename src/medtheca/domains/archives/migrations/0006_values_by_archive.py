"""Values of items know their archive, so that an index answers for one archive."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

FILL = """
UPDATE archives_itemvalue held SET archive_id = item.archive_id FROM archives_item item WHERE item.id = held.item_id
"""
# Not the archive alone, but that of the item: none other can be said.
BIND = """
ALTER TABLE archives_item ADD CONSTRAINT archive_item_of UNIQUE (id, archive_id);
ALTER TABLE archives_itemvalue ADD CONSTRAINT archive_value_of_item
    FOREIGN KEY (item_id, archive_id) REFERENCES archives_item (id, archive_id) DEFERRABLE INITIALLY DEFERRED;
"""
UNBIND = """
ALTER TABLE archives_itemvalue DROP CONSTRAINT archive_value_of_item;
ALTER TABLE archives_item DROP CONSTRAINT archive_item_of;
"""
# The constraints of what was filled are deferred: they are seen to before the table is changed again.
SEE_TO_IT = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


def archive_of_value(*, null: bool) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        to="archives.archive",
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        null=null,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0005_grouping"),
    ]

    operations = [
        migrations.AddField("itemvalue", "archive", archive_of_value(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(SEE_TO_IT, SEE_TO_IT),
        migrations.AlterField("itemvalue", "archive", archive_of_value(null=False)),
        migrations.RunSQL(BIND, UNBIND),
        migrations.RemoveIndex("itemvalue", "archive_value_number"),
        migrations.RemoveIndex("itemvalue", "archive_value_text"),
        migrations.AddIndex(
            "itemvalue",
            models.Index(
                fields=["archive", "socket", "number"],
                condition=Q(number__isnull=False),
                name="archive_value_numbers",
            ),
        ),
        migrations.AddIndex(
            "itemvalue",
            models.Index(fields=["archive", "socket", "text"], name="archive_value_texts"),
        ),
    ]
