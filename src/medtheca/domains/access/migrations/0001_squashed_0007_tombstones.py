"""All tables, triggers and first rows of this app: what 0001 to 0007 come to, without their detours.

A new database starts here, an older one goes on through those. What the triggers are for is said there.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION access_notify_images(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF ids IS NULL THEN RETURN; END IF;
    PERFORM pg_notify('medtheca_access', CASE WHEN cardinality(ids) > 400 THEN '*' ELSE array_to_string(ids, ',') END);
END $$;
CREATE FUNCTION access_placement_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM access_notify_images((SELECT array_agg(DISTINCT image_id) FROM added)); RETURN NULL; END $$;
CREATE FUNCTION access_placement_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM access_notify_images((SELECT array_agg(DISTINCT image_id) FROM removed)); RETURN NULL; END $$;
CREATE TRIGGER access_placement_inserted AFTER INSERT ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER access_placement_updated AFTER UPDATE ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER access_placement_deleted AFTER DELETE ON access_placement
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_placement_removed();
CREATE TRIGGER imaging_imagefile_inserted AFTER INSERT ON imaging_imagefile
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER imaging_imagefile_updated AFTER UPDATE ON imaging_imagefile
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER imaging_imagefile_deleted AFTER DELETE ON imaging_imagefile
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_placement_removed();

CREATE FUNCTION access_membership_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('medtheca_access', 'user:' || COALESCE(NEW.user_id, OLD.user_id));
    RETURN NULL;
END $$;
CREATE TRIGGER access_membership_any AFTER INSERT OR UPDATE OR DELETE ON access_membership
    FOR EACH ROW EXECUTE FUNCTION access_membership_changed();

INSERT INTO access_scope (id, kind, name) VALUES (1, 'public', 'The public'), (2, 'signed_in', 'Signed-in users');
SELECT setval(pg_get_serial_sequence('access_scope', 'id'), 2);

CREATE TRIGGER access_withdrawal_inserted AFTER INSERT ON access_withdrawal
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER access_withdrawal_deleted AFTER DELETE ON access_withdrawal
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_placement_removed();

CREATE FUNCTION access_tally_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_tally (delta)
        SELECT count(*) FROM added WHERE scope_id = 1 AND opens IS NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION access_tally_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_tally (delta)
        SELECT -count(*) FROM removed WHERE scope_id = 1 AND opens IS NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION access_tally_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint;
BEGIN
    change := (SELECT count(*) FROM added WHERE scope_id = 1 AND opens IS NULL)
            - (SELECT count(*) FROM removed WHERE scope_id = 1 AND opens IS NULL);
    IF change <> 0 THEN INSERT INTO access_tally (delta) VALUES (change); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER access_placement_tally_inserted AFTER INSERT ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_tally_added();
CREATE TRIGGER access_placement_tally_deleted AFTER DELETE ON access_placement
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_tally_removed();
CREATE TRIGGER access_placement_tally_updated AFTER UPDATE ON access_placement
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_tally_changed();
INSERT INTO access_tally (delta) VALUES (0);
"""
BACKWARDS = """
DROP TRIGGER access_placement_tally_updated ON access_placement;
DROP TRIGGER access_placement_tally_deleted ON access_placement;
DROP TRIGGER access_placement_tally_inserted ON access_placement;
DROP FUNCTION access_tally_changed();
DROP FUNCTION access_tally_removed();
DROP FUNCTION access_tally_added();
DROP TRIGGER access_withdrawal_deleted ON access_withdrawal;
DROP TRIGGER access_withdrawal_inserted ON access_withdrawal;
DELETE FROM access_scope WHERE kind IN ('public', 'signed_in');
DROP TRIGGER access_membership_any ON access_membership;
DROP TRIGGER imaging_imagefile_deleted ON imaging_imagefile;
DROP TRIGGER imaging_imagefile_updated ON imaging_imagefile;
DROP TRIGGER imaging_imagefile_inserted ON imaging_imagefile;
DROP TRIGGER access_placement_deleted ON access_placement;
DROP TRIGGER access_placement_updated ON access_placement;
DROP TRIGGER access_placement_inserted ON access_placement;
DROP FUNCTION access_membership_changed();
DROP FUNCTION access_placement_removed();
DROP FUNCTION access_placement_added();
DROP FUNCTION access_notify_images(bigint[]);
"""


class Migration(migrations.Migration):

    replaces = [
        ('access', '0001_initial'),
        ('access', '0002_initial'),
        ('access', '0003_notify'),
        ('access', '0004_notify_withdrawals'),
        ('access', '0005_tally'),
        ('access', '0006_roles_and_invitations'),
        ('access', '0007_tombstones'),
    ]

    initial = True

    dependencies = [
        ('imaging', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Scope',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('public', 'Public'), ('signed_in', 'Signed In'), ('contributor', 'Contributor'), ('cohort', 'Cohort'), ('group', 'Group')], max_length=12)),
                ('name', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['public', 'signed_in', 'contributor', 'cohort', 'group'])), name='scope_kind_known'), models.UniqueConstraint(condition=models.Q(('kind__in', ['public', 'signed_in'])), fields=('kind',), name='scope_one_public_one_signed_in')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('editor', 'Editor'), ('reviewer', 'Reviewer'), ('viewer', 'Viewer')], max_length=10)),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scope', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='access.scope')),
            ],
            options={
                'indexes': [models.Index(fields=['user', 'role'], name='membership_of_user')],
                'constraints': [models.UniqueConstraint(fields=('scope', 'user'), name='membership_once'), models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'editor', 'reviewer', 'viewer'])), name='membership_role_known')],
            },
        ),
        migrations.CreateModel(
            name='Placement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opens', models.DateTimeField(null=True)),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='placements', to='imaging.image')),
                ('scope', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.scope')),
            ],
            options={
                'indexes': [models.Index(fields=['scope', 'image'], include=('opens',), name='placement_of_scope'), models.Index(condition=models.Q(('opens__isnull', False)), fields=['scope', 'opens'], name='placement_embargoed')],
                'constraints': [models.UniqueConstraint(fields=('image', 'scope'), name='placement_once')],
            },
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='withdrawal', to='imaging.image')),
                ('was_public', models.BooleanField(db_default=False, default=False)),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delta', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('editor', 'Editor'), ('reviewer', 'Reviewer'), ('viewer', 'Viewer')], max_length=10)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires', models.DateTimeField()),
                ('accepted', models.DateTimeField(null=True)),
                ('revoked', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scope', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='access.scope')),
            ],
            options={
                'indexes': [models.Index(fields=['scope', '-created'], name='invitation_of_scope')],
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'editor', 'reviewer', 'viewer'])), name='invitation_role_known')],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
