"""All tables and triggers of this app: what 0001 to 0006 come to, without their detours.

A new database starts here, an older one goes on through those. A constraint added to a table that exists makes
Django build all models anew, which took half of the time of an empty database.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import medtheca.base.ids
from django.conf import settings
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION refuse_erased_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.public_id IS NOT NULL AND EXISTS (SELECT FROM storage_erasedid e WHERE e.public_id = NEW.public_id) THEN
        RAISE EXCEPTION 'this public id was erased and is never given again' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER imaging_image_erased_id BEFORE INSERT OR UPDATE OF public_id ON imaging_image
    FOR EACH ROW EXECUTE FUNCTION refuse_erased_id();
CREATE TRIGGER provenance_patient_erased_id BEFORE INSERT OR UPDATE OF public_id ON provenance_patient
    FOR EACH ROW EXECUTE FUNCTION refuse_erased_id();
CREATE TRIGGER provenance_lesion_erased_id BEFORE INSERT OR UPDATE OF public_id ON provenance_lesion
    FOR EACH ROW EXECUTE FUNCTION refuse_erased_id();
"""
BACKWARDS = """
DROP TRIGGER imaging_image_erased_id ON imaging_image;
DROP TRIGGER provenance_patient_erased_id ON provenance_patient;
DROP TRIGGER provenance_lesion_erased_id ON provenance_lesion;
DROP FUNCTION refuse_erased_id();
"""


class Migration(migrations.Migration):

    replaces = [
        ('provenance', '0001_initial'),
        ('provenance', '0002_publish_visibility'),
        ('provenance', '0003_people_reviews_versions'),
        ('provenance', '0004_review_states'),
        ('provenance', '0005_erasures'),
        ('provenance', '0006_delivery_reason'),
    ]

    initial = True

    dependencies = [
        ('access', '0006_roles_and_invitations'),
        ('imaging', '0001_initial'),
        ('storage', '0002_erased_ids'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Contributor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('institution_name', models.CharField(max_length=255)),
                ('institution_url', models.URLField(blank=True)),
                ('legal_contact_info', models.TextField(blank=True)),
                ('default_licence', models.CharField(blank=True, choices=[('CC0-1.0', 'Cc0'), ('CC-BY-4.0', 'Cc By'), ('CC-BY-NC-4.0', 'Cc By Nc')], max_length=20)),
                ('default_attribution', models.CharField(blank=True, max_length=255)),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scope', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.scope')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('institution_name', ''), _negated=True), name='contributor_has_name'), models.CheckConstraint(condition=models.Q(('default_licence', ''), ('default_licence__in', ['CC0-1.0', 'CC-BY-4.0', 'CC-BY-NC-4.0']), _connector='OR'), name='contributor_licence_known')],
            },
        ),
        migrations.CreateModel(
            name='Cohort',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('licence', models.CharField(choices=[('CC0-1.0', 'Cc0'), ('CC-BY-4.0', 'Cc By'), ('CC-BY-NC-4.0', 'Cc By Nc')], max_length=20)),
                ('attribution', models.CharField(max_length=200)),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scope', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.scope')),
                ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cohorts', to='provenance.contributor')),
                ('attested', models.DateTimeField(help_text='When an uploader said that they may give these images.', null=True)),
                ('attested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consent_basis', models.TextField(blank=True, db_default='', help_text='Ethics approval or consent under which images came. Private.')),
                ('readers', models.PositiveSmallIntegerField(db_default=1, default=1, help_text='How many reviewers must accept an image.')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='cohort_has_name'), models.CheckConstraint(condition=models.Q(('licence__in', ['CC0-1.0', 'CC-BY-4.0', 'CC-BY-NC-4.0'])), name='cohort_licence_known'), models.UniqueConstraint(fields=('contributor', 'name'), name='cohort_name_once'), models.CheckConstraint(condition=models.Q(('readers__in', [1, 2])), name='cohort_one_or_two_readers'), models.CheckConstraint(condition=models.Q(models.Q(('attested__isnull', True), ('attested_by__isnull', True)), models.Q(('attested__isnull', False), ('attested_by__isnull', False)), _connector='OR'), name='cohort_attested_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Lesion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=16, unique=True)),
                ('private_id', models.CharField(max_length=255)),
                ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.contributor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contributor', 'private_id'), name='lesion_once'), models.CheckConstraint(condition=models.Q(('public_id__regex', '^IL_[0-9]{7,}$')), name='lesion_public_id_form')],
            },
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=16, unique=True)),
                ('private_id', models.CharField(max_length=255)),
                ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.contributor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contributor', 'private_id'), name='patient_once'), models.CheckConstraint(condition=models.Q(('public_id__regex', '^IP_[0-9]{7,}$')), name='patient_public_id_form')],
            },
        ),
        migrations.CreateModel(
            name='PublishRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('visibility', models.CharField(max_length=10)),
                ('opens', models.DateTimeField(help_text='End of the embargo.', null=True)),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('publishing', 'Publishing'), ('published', 'Published'), ('rejected', 'Rejected')], default='requested', max_length=10)),
                ('decided', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='publish_requests', to='provenance.cohort')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('groups', models.ManyToManyField(blank=True, related_name='+', to='access.scope')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'publishing', 'published', 'rejected'])), name='publish_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rejected'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='publish_rejection_has_reason'), models.CheckConstraint(condition=models.Q(('visibility__in', ('public', 'signed_in', 'groups'))), name='publish_visibility_known')],
            },
        ),
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=20)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agreements', to='provenance.contributor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contributor', 'version'), name='agreement_once_a_version')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('id', models.UUIDField(default=medtheca.base.ids.new_key, editable=False, primary_key=True, serialize=False)),
                ('patient_public_id', models.CharField(max_length=16)),
                ('reason', models.CharField(choices=[('patient', 'The patient asked for it'), ('consent', 'Consent was withdrawn or has ended'), ('authority', 'A court or an authority ordered it'), ('mistake', 'The images should never have come in'), ('other', 'Another reason')], max_length=12)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('erasing', 'Erasing'), ('done', 'Done'), ('declined', 'Declined')], default='requested', max_length=10)),
                ('stage', models.CharField(blank=True, choices=[('', 'None'), ('planned', 'Planned'), ('rows', 'Rows'), ('bytes', 'Bytes'), ('words', 'Words'), ('verified', 'Verified')], default='', max_length=10)),
                ('requested', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('decided', models.DateTimeField(null=True)),
                ('declined_because', models.CharField(blank=True, max_length=500)),
                ('finished', models.DateTimeField(null=True)),
                ('replayed', models.DateTimeField(null=True)),
                ('plan', models.JSONField(default=dict)),
                ('receipt', models.JSONField(default=dict)),
                ('trouble', models.TextField(blank=True, help_text='What keeps the work from going on; without private values.')),
                ('contributor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.contributor')),
                ('decider', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['contributor', '-created'], name='erasure_of_contributor')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'erasing', 'done', 'declined'])), name='erasure_state_known'), models.CheckConstraint(condition=models.Q(('stage__in', ['', 'planned', 'rows', 'bytes', 'words', 'verified'])), name='erasure_stage_known'), models.CheckConstraint(condition=models.Q(('reason__in', ['patient', 'consent', 'authority', 'mistake', 'other'])), name='erasure_reason_known'), models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'erasing'])), fields=('patient_public_id',), name='erasure_one_open_a_patient'), models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'declined']), ('replayed__isnull', False), models.Q(('decider__isnull', False), ('requester__isnull', False), models.Q(('requester', models.F('decider')), _negated=True)), _connector='OR'), name='erasure_by_two_people'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('finished__isnull', False), ('plan', {})), _connector='OR'), name='erasure_done_keeps_nothing')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('upload', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='storage.upload')),
                ('state', models.CharField(choices=[('arriving', 'Arriving'), ('unpacking', 'Unpacking'), ('converting', 'Converting'), ('done', 'Done'), ('refused', 'Refused')], default='arriving', max_length=10)),
                ('refusal_code', models.CharField(blank=True, max_length=40)),
                ('refusal', models.TextField(blank=True)),
                ('remedy', models.TextField(blank=True)),
                ('members', models.PositiveIntegerField(help_text='Files found; null until the container was read.', null=True)),
                ('finished', models.DateTimeField(null=True)),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='provenance.cohort')),
            ],
            options={
                'indexes': [models.Index(fields=['cohort', '-created'], name='delivery_of_cohort')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['arriving', 'unpacking', 'converting', 'done', 'refused'])), name='delivery_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('refusal', ''), _negated=True), _connector='OR'), name='delivery_refused_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['done', 'refused']), _negated=True), ('finished__isnull', False), _connector='OR'), name='delivery_finished_dated')],
            },
        ),
        migrations.CreateModel(
            name='Accession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('modified', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('name_key', models.CharField(max_length=255)),
                ('original_path', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('received', 'Received'), ('converted', 'Converted'), ('refused', 'Refused')], default='received', max_length=10)),
                ('licence', models.CharField(choices=[('CC0-1.0', 'Cc0'), ('CC-BY-4.0', 'Cc By'), ('CC-BY-NC-4.0', 'Cc By Nc')], max_length=20)),
                ('attribution', models.CharField(max_length=200)),
                ('published', models.DateTimeField(null=True)),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('image', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accession', to='imaging.image')),
                ('original', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                ('same_as', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='provenance.accession')),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accessions', to='provenance.cohort')),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.delivery')),
                ('lesion', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.lesion')),
                ('patient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.patient')),
                ('file_version', models.PositiveIntegerField(db_default=1, default=1, help_text='Which of its file versions is looked at.')),
                ('review_state', models.CharField(choices=[('awaiting', 'Awaiting'), ('flagged', 'Flagged'), ('accepted', 'Accepted'), ('rejected', 'Rejected')], db_default='awaiting', default='awaiting', max_length=10)),
            ],
            options={
                'indexes': [models.Index(fields=['cohort', 'state', 'id'], name='accession_of_cohort'), models.Index(fields=['lesion'], name='accession_lesion'), models.Index(fields=['patient'], name='accession_patient'), models.Index(fields=['review_state', 'cohort', 'id'], name='accession_review_queue')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name_key', ''), _negated=True), name='accession_has_name'), models.CheckConstraint(condition=models.Q(('licence__in', ['CC0-1.0', 'CC-BY-4.0', 'CC-BY-NC-4.0'])), name='accession_licence_known'), models.CheckConstraint(condition=models.Q(('state__in', ['received', 'converted', 'refused'])), name='accession_state_known'), models.UniqueConstraint(condition=models.Q(('state', 'refused'), _negated=True), fields=('cohort', 'name_key'), name='accession_name_once_in_cohort'), models.UniqueConstraint(condition=models.Q(('same_as__isnull', True)), fields=('cohort', 'original'), name='accession_content_once_in_cohort'), models.CheckConstraint(condition=models.Q(models.Q(('image__isnull', True), ('original__isnull', False), ('state', 'received')), models.Q(('image__isnull', False), ('original__isnull', False), ('state', 'converted')), models.Q(('image__isnull', True), ('original__isnull', True), ('state', 'refused')), _connector='OR'), name='accession_state_matches_bytes'), models.CheckConstraint(condition=models.Q(('published__isnull', True), ('state', 'converted'), _connector='OR'), name='accession_published_converted'), models.CheckConstraint(condition=models.Q(('review_state__in', ['awaiting', 'flagged', 'accepted', 'rejected'])), name='accession_review_known')],
            },
        ),
        migrations.CreateModel(
            name='PublishItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('done', models.BooleanField(default=False)),
                ('accession', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='provenance.accession')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='provenance.publishrequest')),
                ('outcome', models.CharField(choices=[('waiting', 'Waiting'), ('published', 'Published'), ('withdrawn', 'Withdrawn'), ('not_accepted', 'Not Accepted')], db_default='waiting', default='waiting', max_length=12)),
            ],
            options={
                'indexes': [models.Index(fields=['request', 'done', 'id'], name='publish_item_open')],
                'constraints': [models.UniqueConstraint(fields=('request', 'accession'), name='publish_item_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'published', 'withdrawn', 'not_accepted'])), name='publish_outcome_known')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('decision', models.CharField(choices=[('accepted', 'Accepted'), ('rejected', 'Rejected'), ('flagged', 'Flagged')], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('accession', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='provenance.accession')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file_version', models.PositiveIntegerField(db_default=1, default=1)),
                ('reason_code', models.CharField(blank=True, choices=[('identifiable', 'A person can be recognised'), ('text', 'Names, dates or labels can be read'), ('quality', 'Too poor to be of use'), ('content', 'Not what the cohort is of'), ('duplicate', 'The same picture as another'), ('metadata', 'The metadata contradict the picture'), ('consent', 'Consent or rights are in doubt'), ('other', 'Another reason')], db_default='', max_length=20)),
                ('standing', models.BooleanField(db_default=True, default=True, help_text='False once the file or its description changed after it.')),
            ],
            options={
                'indexes': [models.Index(fields=['accession', 'standing', '-id'], name='review_of_accession')],
                'constraints': [models.CheckConstraint(condition=models.Q(('decision__in', ['accepted', 'rejected', 'flagged'])), name='review_decision_known'), models.CheckConstraint(condition=models.Q(('decision', 'accepted'), models.Q(('reason', ''), _negated=True), models.Q(('reason_code', ''), _negated=True), _connector='OR'), name='review_rejection_has_reason'), models.CheckConstraint(condition=models.Q(('reason_code', ''), ('reason_code__in', ['identifiable', 'text', 'quality', 'content', 'duplicate', 'metadata', 'consent', 'other']), _connector='OR'), name='review_reason_known')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ordinal', models.PositiveIntegerField()),
                ('path', models.TextField()),
                ('name', models.CharField(max_length=255)),
                ('size', models.BigIntegerField(null=True)),
                ('outcome', models.CharField(choices=[('waiting', 'Waiting'), ('accepted', 'Accepted'), ('linked', 'Linked'), ('duplicate', 'Duplicate'), ('skipped', 'Skipped'), ('refused', 'Refused')], max_length=10)),
                ('code', models.CharField(max_length=40)),
                ('words', models.TextField()),
                ('remedy', models.TextField(blank=True)),
                ('accession', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='provenance.accession')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='provenance.delivery')),
                ('other', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='provenance.accession')),
            ],
            options={
                'indexes': [models.Index(fields=['delivery', 'outcome'], name='verdict_outcomes'), models.Index(fields=['accession'], name='verdict_of_accession')],
                'constraints': [models.UniqueConstraint(fields=('delivery', 'ordinal'), name='verdict_once_a_file'), models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'accepted', 'linked', 'duplicate', 'skipped', 'refused'])), name='verdict_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('words', ''), _negated=True), models.Q(('code', ''), _negated=True)), name='verdict_has_words')],
            },
        ),
        migrations.CreateModel(
            name='FileVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('received', 'Received'), ('replacement', 'Replacement'), ('redaction', 'Redaction')], max_length=12)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('candidate', 'Candidate'), ('current', 'Current'), ('superseded', 'Superseded'), ('refused', 'Refused')], max_length=12)),
                ('name', models.CharField(max_length=255)),
                ('facts', models.JSONField(default=dict)),
                ('redactions', models.JSONField(default=list)),
                ('refusal_code', models.CharField(blank=True, max_length=40)),
                ('refusal', models.TextField(blank=True)),
                ('remedy', models.TextField(blank=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('accession', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='file_versions', to='provenance.accession')),
                ('creator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.delivery')),
                ('original', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('accession', 'number'), name='file_version_once'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'candidate', 'current', 'superseded', 'refused'])), name='file_version_state_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['received', 'replacement', 'redaction'])), name='file_version_kind_known'), models.UniqueConstraint(condition=models.Q(('state', 'current')), fields=('accession',), name='file_version_one_current'), models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'candidate'])), fields=('accession',), name='file_version_one_under_way'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('refusal', ''), _negated=True), _connector='OR'), name='file_version_refused_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='VersionFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('media_type', models.CharField(max_length=60)),
                ('recipe', models.CharField(blank=True, max_length=120)),
                ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='storage.blob')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='provenance.fileversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('version', 'kind'), name='version_one_file_a_kind')],
            },
        ),
        migrations.AddField(
            model_name='delivery',
            name='replaces',
            field=models.ForeignKey(help_text='The accession whose file this one replaces; null for new images.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='provenance.accession'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='reason',
            field=models.CharField(blank=True, db_default='', help_text='Why a file is replaced, for its public change log.', max_length=500),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
