"""What says how items are shown, as it comes with an archive."""

from importlib import import_module

from django.apps import apps

from medtheca.domains.viewing.models import HangingProtocol


def what_everybody_has():
    """The viewer, presets and protocols of the first day. Tests with real transactions begin with empty tables."""
    if not HangingProtocol.objects.filter(slug="one-panel").exists():
        import_module("medtheca.domains.viewing.migrations.0003_what_everybody_has").make(apps, None)
