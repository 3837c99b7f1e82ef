"""Find images that look alike among a million: an index for each quarter of the perceptual hash."""

from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [("imaging", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="image",
            index=models.Index(F("perceptual_hash").bitrightshift(shift).bitand(0xFFFF), name=f"image_hash_{shift}"),
        )
        for shift in (0, 16, 32, 48)
    ]
