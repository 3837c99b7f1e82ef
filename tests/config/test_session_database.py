import psycopg


def test_tests_have_a_database_with_the_rights_of_production(database_url):
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "select current_user, rolsuper, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == ("medtheca", False, True)
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
