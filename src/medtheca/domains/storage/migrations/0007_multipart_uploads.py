"""Uploads in numbered parts, as clients of S3 send them; those that are there have none."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("storage", "0006_blob_crc32")]
    operations = [
        migrations.AddField(
            "upload",
            "part_size",
            models.BigIntegerField(
                null=True,
                help_text="Of an upload in numbered parts: bytes of each but the last.",
            ),
        ),
        migrations.AddConstraint(
            "upload",
            models.CheckConstraint(
                condition=Q(part_size__isnull=True) | Q(part_size__gt=0), name="upload_part_size_positive"
            ),
        ),
        migrations.CreateModel(
            "UploadPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="From 1 on.")),
                ("etag", models.CharField(help_text="MD5 of its bytes, as S3 names parts.", max_length=32)),
                ("received", models.DateTimeField(db_default=Now())),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="storage.upload"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "uploadpart", models.UniqueConstraint(fields=["upload", "number"], name="upload_part_once")
        ),
    ]
