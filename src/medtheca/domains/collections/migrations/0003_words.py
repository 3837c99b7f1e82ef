"""An index of the words of collections' names, for free words in queries."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("collections", "0002_pins"), ("search", "0003_texts")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX collection_words ON collections_collection USING gin (search_words(ARRAY[name]::text[]))",
            "DROP INDEX collection_words",
        )
    ]
