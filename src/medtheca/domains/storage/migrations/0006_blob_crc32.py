"""CRC-32 of blobs, for ZIPs; unknown of all that are there."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("storage", "0005_compositions")]
    operations = [
        migrations.AddField(
            "blob",
            "crc32",
            models.BigIntegerField(null=True, help_text="Of the bytes, where somebody needed it; ZIPs do."),
        ),
        migrations.AddConstraint(
            "blob",
            models.CheckConstraint(
                condition=Q(crc32__isnull=True) | Q(crc32__gte=0, crc32__lt=2**32), name="blob_crc32_has_32_bits"
            ),
        ),
    ]
