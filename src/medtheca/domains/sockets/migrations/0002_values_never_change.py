"""The database itself refuses to change what a value is. Who made it may be forgotten, and it may go whole."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION sockets_value_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.socket_id, NEW.has_value, NEW.value::text, NEW.blob_id, NEW.filename, NEW.media_type, NEW.image_id,
            NEW.created)
        IS DISTINCT FROM (OLD.id, OLD.socket_id, OLD.has_value, OLD.value::text, OLD.blob_id, OLD.filename,
            OLD.media_type, OLD.image_id, OLD.created)
        OR (NEW.creator_id IS DISTINCT FROM OLD.creator_id AND NEW.creator_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'values of sockets never change; make another one' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sockets_value_unchanged BEFORE UPDATE ON sockets_value
    FOR EACH ROW EXECUTE FUNCTION sockets_value_unchanged();
"""
BACKWARDS = """
DROP TRIGGER sockets_value_unchanged ON sockets_value;
DROP FUNCTION sockets_value_unchanged();
"""


class Migration(migrations.Migration):
    dependencies = [("sockets", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
