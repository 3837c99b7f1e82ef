"""Which applications act for people, and that processes which remember a caller hear of tokens that end."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARDS = """
CREATE TRIGGER accounts_bearer_changed AFTER UPDATE ON oauth2_provider_accesstoken FOR EACH ROW
    WHEN (OLD.user_id IS NOT NULL
          AND (OLD.expires IS DISTINCT FROM NEW.expires OR OLD.scope IS DISTINCT FROM NEW.scope))
    EXECUTE FUNCTION accounts_keys_changed();
CREATE TRIGGER accounts_bearer_deleted AFTER DELETE ON oauth2_provider_accesstoken FOR EACH ROW
    WHEN (OLD.user_id IS NOT NULL) EXECUTE FUNCTION accounts_keys_changed();
"""
BACKWARDS = """
DROP TRIGGER accounts_bearer_deleted ON oauth2_provider_accesstoken;
DROP TRIGGER accounts_bearer_changed ON oauth2_provider_accesstoken;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_notify'),
        ('oauth2_provider', '0022_refreshtoken_token_family_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scopes', models.TextField(help_text='All that were allowed, with blanks between them.')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_used', models.DateTimeField(blank=True, null=True)),
                ('application', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'application'), name='connection_once')],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
