import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("provenance", "0009_dicom_copies"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accession",
            index=models.Index(
                django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper("name_key"), "C"),
                name="accession_sought_by_name",
            ),
        ),
    ]
