"""Sign-up, log-in and tokens, on top of allauth."""
