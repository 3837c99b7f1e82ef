"""Use cases that take several domains: receive, convert, describe, review, publish, withdraw."""
