"""All tables of this app: what 0001 and 0002 come to. A new database starts here, an older one goes on through those."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('metadata', '0001_initial'),
        ('metadata', '0002_sheets'),
    ]

    initial = True

    dependencies = [
        ('provenance', '0004_review_states'),
        ('storage', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Description',
            fields=[
                ('accession', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='description', serialize=False, to='provenance.accession')),
                ('version', models.PositiveIntegerField()),
                ('structured', models.JSONField(default=dict)),
                ('unstructured', models.JSONField(default=dict)),
                ('modified', models.DateTimeField(auto_now=True)),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['structured'], name='description_structured', opclasses=['jsonb_path_ops']), models.Index(django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('age_approx', 'structured'), models.IntegerField()), name='description_age_approx')],
            },
        ),
        migrations.CreateModel(
            name='MetadataFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('recipe', models.CharField(blank=True, help_text='How columns of a known spreadsheet are read.', max_length=40)),
                ('state', models.CharField(choices=[('checking', 'Checking'), ('ready', 'Ready'), ('invalid', 'Invalid'), ('applying', 'Applying'), ('applied', 'Applied'), ('undoing', 'Undoing'), ('undone', 'Undone')], default='checking', max_length=10)),
                ('rows', models.PositiveIntegerField(null=True)),
                ('report', models.JSONField(default=dict)),
                ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.cohort')),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('accept_conflicts', models.BooleanField(db_default=False, default=False)),
                ('actor', models.ForeignKey(help_text='Who asked for the present or last work: checking, applying or undoing.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('applied_at', models.DateTimeField(null=True)),
                ('applied_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('apply_when_ready', models.BooleanField(db_default=True, default=False)),
                ('done', models.PositiveIntegerField(db_default=0, default=0)),
                ('mapping', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('matches', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('reason', models.CharField(blank=True, db_default='', max_length=500)),
                ('revision', models.PositiveIntegerField(db_default=1, default=1)),
                ('total', models.PositiveIntegerField(db_default=0, default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['checking', 'ready', 'invalid', 'applying', 'applied', 'undoing', 'undone'])), name='metadata_file_state_known')],
            },
        ),
        migrations.CreateModel(
            name='MetadataVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('structured', models.JSONField(default=dict)),
                ('unstructured', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('accession', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metadata_versions', to='provenance.accession')),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metadata.metadatafile')),
            ],
            options={
                'indexes': [models.Index(fields=['source'], name='metadata_version_source')],
                'constraints': [models.UniqueConstraint(fields=('accession', 'number'), name='metadata_version_once')],
            },
        ),
        migrations.CreateModel(
            name='SheetEdit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('column', models.CharField(max_length=255)),
                ('value', models.TextField(blank=True)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='edits', to='metadata.metadatafile')),
            ],
            options={
                'indexes': [models.Index(fields=['file', 'line'], name='sheet_edit_of_file')],
            },
        ),
        migrations.CreateModel(
            name='SheetRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('name', models.TextField(blank=True)),
                ('matched', models.CharField(blank=True, help_text='How the name was matched.', max_length=12)),
                ('structured', models.JSONField(default=dict)),
                ('unstructured', models.JSONField(default=dict)),
                ('problems', models.JSONField(default=list)),
                ('base', models.PositiveIntegerField(default=0)),
                ('version', models.PositiveIntegerField(null=True)),
                ('outcome', models.CharField(choices=[('waiting', 'Waiting'), ('applied', 'Applied'), ('unchanged', 'Unchanged'), ('skipped', 'Skipped'), ('undone', 'Undone'), ('conflict', 'Conflict')], default='waiting', max_length=10)),
                ('accession', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='provenance.accession')),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sheet_rows', to='metadata.metadatafile')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('problems', []), _negated=True), fields=['file', 'line'], name='sheet_row_with_problems'), models.Index(fields=['file', 'outcome', 'line'], name='sheet_row_by_outcome')],
                'constraints': [models.UniqueConstraint(fields=('file', 'line'), name='sheet_row_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'applied', 'unchanged', 'skipped', 'undone', 'conflict'])), name='sheet_row_outcome_known')],
            },
        ),
    ]
