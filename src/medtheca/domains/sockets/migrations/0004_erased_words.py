"""An erasure may take words out of values: of one transaction that says so, the trigger asks nothing."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION sockets_value_may_change() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('medtheca.erasing', true), '') = 'on'
$$;
DROP TRIGGER sockets_value_unchanged ON sockets_value;
CREATE TRIGGER sockets_value_unchanged BEFORE UPDATE ON sockets_value
    FOR EACH ROW WHEN (NOT sockets_value_may_change()) EXECUTE FUNCTION sockets_value_unchanged();
"""
BACKWARDS = """
DROP TRIGGER sockets_value_unchanged ON sockets_value;
CREATE TRIGGER sockets_value_unchanged BEFORE UPDATE ON sockets_value
    FOR EACH ROW EXECUTE FUNCTION sockets_value_unchanged();
DROP FUNCTION sockets_value_may_change();
"""


class Migration(migrations.Migration):
    dependencies = [("sockets", "0003_what_everybody_has")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
