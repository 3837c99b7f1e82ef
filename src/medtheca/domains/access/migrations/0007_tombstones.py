"""Say of a withdrawal whether the public may read it: of those that came before, nobody was told that it would be."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0006_roles_and_invitations")]
    operations = [
        migrations.AddField("withdrawal", "was_public", models.BooleanField(db_default=False, default=False)),
    ]
