"""Downloads with their frozen lists."""

import django.db.models.deletion
import django.db.models.functions.datetime
import medtheca.base.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('storage', '0006_blob_crc32'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Download',
            fields=[
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('id', models.UUIDField(default=medtheca.base.ids.new_key, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('images', models.PositiveIntegerField()),
                ('bytes', models.BigIntegerField()),
                ('size', models.BigIntegerField()),
                ('state', models.CharField(choices=[('preparing', 'Preparing'), ('ready', 'Ready'), ('failed', 'Failed')], default='preparing', max_length=10)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('expires', models.DateTimeField()),
                ('listing', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['owner'], name='download_owner'), models.Index(fields=['expires'], name='download_expires')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['preparing', 'ready', 'failed'])), name='download_state_known'), models.CheckConstraint(condition=models.Q(('bytes__gte', 0), ('size__gt', 0)), name='download_has_size'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'failed'), _negated=True), models.Q(('words', ''), _negated=True), _connector='OR'), name='download_says_why')],
            },
        ),
    ]
