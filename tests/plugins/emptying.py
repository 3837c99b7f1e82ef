"""Django empties all tables after a test with real transactions, which the ledger refuses: it lets tests."""

_GUARDS = {"ledger_event": "ledger_event_no_truncate", "ledger_seal": "ledger_seal_no_truncate"}


def let_tests_empty_the_ledger():
    from django.db.backends.postgresql.operations import DatabaseOperations

    empty = DatabaseOperations.execute_sql_flush

    def with_guards_down(self, sql_list):
        _switch(self.connection, "DISABLE")
        try:
            return empty(self, sql_list)
        finally:
            _switch(self.connection, "ENABLE")

    DatabaseOperations.execute_sql_flush = with_guards_down


def _switch(connection, how):
    with connection.cursor() as cursor:
        for table, guard in _GUARDS.items():
            cursor.execute(f"ALTER TABLE {table} {how} TRIGGER {guard}")
