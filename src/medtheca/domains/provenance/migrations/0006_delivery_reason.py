"""Keep with a delivery why it replaces a file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0005_erasures")]
    operations = [
        migrations.AddField(
            "delivery",
            "reason",
            models.CharField(
                blank=True, db_default="", help_text="Why a file is replaced, for its public change log.", max_length=500
            ),
        ),
    ]
