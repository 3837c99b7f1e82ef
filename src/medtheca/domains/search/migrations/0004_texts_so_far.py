"""The words of what was written before there were triggers for it.

A migration of its own, so that those triggers' tables are locked for a moment only.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("search", "0003_texts")]
    operations = [migrations.RunSQL("SELECT search_fill_texts()", migrations.RunSQL.noop)]
