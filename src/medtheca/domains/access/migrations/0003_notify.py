"""Tell every web process which images' visibility changed, in the transaction that changes it.

The payload is a list of image ids with commas, `*` when there are too many for one message, or `user:ID` for a
person whose circles changed. The public scope and that of signed-in users are made here, once.
"""

from django.db import migrations

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
"""
BACKWARDS = """
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
    dependencies = [("access", "0002_initial"), ("imaging", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
