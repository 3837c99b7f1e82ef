"""Tell every web process, in the transaction that does it, whose keys have changed.

A revoked token, a disabled user, a new password and a session that ends before its time: whoever remembers the person
forgets them at once. The channel and the form `user:ID` are those of the domain access.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION accounts_keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('medtheca_access', 'user:' || CASE TG_TABLE_NAME
        WHEN 'accounts_user' THEN (to_jsonb(OLD) ->> 'id')
        ELSE (to_jsonb(OLD) ->> 'user_id') END);
    RETURN NULL;
END $$;
CREATE FUNCTION accounts_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner bigint;
BEGIN
    SELECT user_id INTO owner FROM usersessions_usersession WHERE session_key = OLD.session_key;
    -- A session that was not noted yet: everybody is forgotten, which is right and rare.
    PERFORM pg_notify('medtheca_access', CASE WHEN owner IS NULL THEN 'user:*' ELSE 'user:' || owner END);
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_token_revoked AFTER UPDATE ON accounts_apitoken FOR EACH ROW
    WHEN (OLD.revoked IS DISTINCT FROM NEW.revoked OR OLD.expires IS DISTINCT FROM NEW.expires
          OR OLD.scope IS DISTINCT FROM NEW.scope)
    EXECUTE FUNCTION accounts_keys_changed();
CREATE TRIGGER accounts_token_deleted AFTER DELETE ON accounts_apitoken FOR EACH ROW
    EXECUTE FUNCTION accounts_keys_changed();
CREATE TRIGGER accounts_user_changed AFTER UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active OR OLD.is_staff IS DISTINCT FROM NEW.is_staff
          OR OLD.password IS DISTINCT FROM NEW.password)
    EXECUTE FUNCTION accounts_keys_changed();
CREATE TRIGGER accounts_noted_session_ended AFTER DELETE ON usersessions_usersession FOR EACH ROW
    EXECUTE FUNCTION accounts_keys_changed();
CREATE TRIGGER accounts_session_ended AFTER DELETE ON django_session FOR EACH ROW
    WHEN (OLD.expire_date > now()) EXECUTE FUNCTION accounts_session_ended();
"""
BACKWARDS = """
DROP TRIGGER accounts_session_ended ON django_session;
DROP TRIGGER accounts_noted_session_ended ON usersessions_usersession;
DROP TRIGGER accounts_user_changed ON accounts_user;
DROP TRIGGER accounts_token_deleted ON accounts_apitoken;
DROP TRIGGER accounts_token_revoked ON accounts_apitoken;
DROP FUNCTION accounts_session_ended();
DROP FUNCTION accounts_keys_changed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_profiles_terms_exports_deletions"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
