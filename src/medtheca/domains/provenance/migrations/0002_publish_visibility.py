from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("provenance", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="publishrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("visibility__in", ("public", "signed_in"))), name="publish_visibility_known"
            ),
        ),
    ]
