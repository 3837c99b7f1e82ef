"""Keep with a blob that something has let go of it, so that a lost job is found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_bundles")]
    operations = [
        migrations.AddField(
            "blob",
            "let_go",
            models.DateTimeField(
                help_text="Since when something has let go of it, and nobody has looked whether others need it.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            "blob",
            models.Index(condition=models.Q(("let_go__isnull", False)), fields=["let_go"], name="blob_let_go"),
        ),
    ]
