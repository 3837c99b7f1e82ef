"""Tell every web process that a link for reviewers has ended, so that nobody goes on seeing by it from memory.

Who opened it is not known: `user:*` has all viewers forgotten, and with them what was found for them.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION archives_link_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('medtheca_access', 'user:*'); RETURN NULL; END $$;
CREATE TRIGGER archives_link_ended AFTER UPDATE ON archives_reviewerlink FOR EACH ROW
    WHEN (OLD.revoked IS DISTINCT FROM NEW.revoked OR OLD.expires IS DISTINCT FROM NEW.expires)
    EXECUTE FUNCTION archives_link_ended();
CREATE TRIGGER archives_link_deleted AFTER DELETE ON archives_reviewerlink FOR EACH ROW
    EXECUTE FUNCTION archives_link_ended();
"""
BACKWARDS = """
DROP TRIGGER archives_link_deleted ON archives_reviewerlink;
DROP TRIGGER archives_link_ended ON archives_reviewerlink;
DROP FUNCTION archives_link_ended();
"""


class Migration(migrations.Migration):
    dependencies = [("archives", "0003_proposals")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
