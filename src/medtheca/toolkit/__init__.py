"""Pure code: no Django, no database, no network. Takes values, returns frozen values, raises its own errors."""
