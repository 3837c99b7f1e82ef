"""Tell every web process of a withdrawal too: it hides an image from viewers whose placements stay as they are."""

from django.db import migrations

FORWARDS = """
CREATE TRIGGER access_withdrawal_inserted AFTER INSERT ON access_withdrawal
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION access_placement_added();
CREATE TRIGGER access_withdrawal_deleted AFTER DELETE ON access_withdrawal
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION access_placement_removed();
"""
BACKWARDS = """
DROP TRIGGER access_withdrawal_deleted ON access_withdrawal;
DROP TRIGGER access_withdrawal_inserted ON access_withdrawal;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0003_notify")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
