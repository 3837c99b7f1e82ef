"""Scopes of collections: what is listed, which shows nobody anything, and what is shown to whom it is shared with.

Members of a circle of kind sharing follow from its grants and the members of the groups among them. Each trigger first
locks what it decides about (groups before circles, in the order of their keys), so that of two that come at once the
second sees what the first did. Placements in lists of collections are no news to who serves files.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION access_is_granted(circle bigint, person bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM access_grant g WHERE g.scope_id = circle AND (g.user_id = person
        OR g.group_id IN (SELECT m.scope_id FROM access_membership m WHERE m.user_id = person)))
$$;

CREATE FUNCTION access_grant_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever comes into one of the groups at this moment has the row locked, and is there when we go on.
    PERFORM FROM access_scope WHERE id IN (SELECT group_id FROM added) ORDER BY id FOR UPDATE;
    PERFORM FROM access_scope WHERE id IN (SELECT scope_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO access_membership (scope_id, user_id, role)
        SELECT DISTINCT g.scope_id, COALESCE(g.user_id, m.user_id), 'viewer'
        FROM added g LEFT JOIN access_membership m ON m.scope_id = g.group_id
        WHERE COALESCE(g.user_id, m.user_id) IS NOT NULL
        ON CONFLICT (scope_id, user_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION access_grant_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM access_scope WHERE id IN (SELECT scope_id FROM removed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM access_membership m WHERE m.scope_id IN (SELECT scope_id FROM removed)
        AND NOT access_is_granted(m.scope_id, m.user_id);
    RETURN NULL;
END $$;
CREATE TRIGGER access_grant_inserted AFTER INSERT ON access_grant
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_grant_added();
CREATE TRIGGER access_grant_deleted AFTER DELETE ON access_grant
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_grant_removed();

CREATE FUNCTION access_group_joined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM access_scope WHERE kind = 'group' AND id IN (SELECT scope_id FROM added) ORDER BY id FOR KEY SHARE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    PERFORM FROM access_scope WHERE id IN (
        SELECT g.scope_id FROM access_grant g WHERE g.group_id IN (SELECT scope_id FROM added)
    ) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO access_membership (scope_id, user_id, role)
        SELECT DISTINCT g.scope_id, m.user_id, 'viewer'
        FROM added a JOIN access_membership m ON m.id = a.id JOIN access_grant g ON g.group_id = m.scope_id
        ON CONFLICT (scope_id, user_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION access_group_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM access_scope WHERE id IN (
        SELECT g.scope_id FROM access_grant g WHERE g.group_id IN (SELECT scope_id FROM removed)
    ) ORDER BY id FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    DELETE FROM access_membership m USING removed r, access_grant g
        WHERE g.group_id = r.scope_id AND m.scope_id = g.scope_id AND m.user_id = r.user_id
        AND NOT access_is_granted(m.scope_id, m.user_id);
    RETURN NULL;
END $$;
CREATE TRIGGER access_membership_joined AFTER INSERT ON access_membership
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_group_joined();
CREATE TRIGGER access_membership_left AFTER DELETE ON access_membership
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_group_left();

CREATE FUNCTION access_shown_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_notify_images((SELECT array_agg(DISTINCT a.image_id) FROM added a WHERE NOT EXISTS (
        SELECT FROM access_scope s WHERE s.id = a.scope_id AND s.kind = 'collection')));
    RETURN NULL;
END $$;
CREATE FUNCTION access_shown_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM access_notify_images((SELECT array_agg(DISTINCT r.image_id) FROM removed r WHERE NOT EXISTS (
        SELECT FROM access_scope s WHERE s.id = r.scope_id AND s.kind = 'collection')));
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER access_placement_inserted AFTER INSERT ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_shown_added();
CREATE OR REPLACE TRIGGER access_placement_updated AFTER UPDATE ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_shown_added();
CREATE OR REPLACE TRIGGER access_placement_deleted AFTER DELETE ON access_placement
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_shown_removed();
"""
BACKWARDS = """
CREATE OR REPLACE TRIGGER access_placement_inserted AFTER INSERT ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE OR REPLACE TRIGGER access_placement_updated AFTER UPDATE ON access_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE OR REPLACE TRIGGER access_placement_deleted AFTER DELETE ON access_placement
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_placement_removed();
DROP FUNCTION access_shown_removed();
DROP FUNCTION access_shown_added();
DROP TRIGGER access_membership_left ON access_membership;
DROP TRIGGER access_membership_joined ON access_membership;
DROP FUNCTION access_group_left();
DROP FUNCTION access_group_joined();
DROP TRIGGER access_grant_deleted ON access_grant;
DROP TRIGGER access_grant_inserted ON access_grant;
DROP FUNCTION access_grant_removed();
DROP FUNCTION access_grant_added();
DROP FUNCTION access_is_granted(bigint, bigint);
"""
_KINDS = [
    ("public", "Public"),
    ("signed_in", "Signed In"),
    ("contributor", "Contributor"),
    ("cohort", "Cohort"),
    ("group", "Group"),
    ("collection", "Collection"),
    ("sharing", "Sharing"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_squashed_0007_tombstones"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterField("scope", "kind", models.CharField(choices=_KINDS, max_length=12)),
        migrations.RemoveConstraint("scope", "scope_kind_known"),
        migrations.AddConstraint(
            "scope",
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind for kind, _ in _KINDS]), name="scope_kind_known"
            ),
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="access.scope"
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="access.scope"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("group__isnull", True), ("user__isnull", False)),
                            models.Q(("group__isnull", False), ("user__isnull", True)),
                            _connector="OR",
                        ),
                        name="grant_for_person_or_group",
                    ),
                    models.UniqueConstraint(fields=("scope", "user"), name="grant_once_a_person"),
                    models.UniqueConstraint(fields=("scope", "group"), name="grant_once_a_group"),
                ],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
