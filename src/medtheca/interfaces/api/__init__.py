"""The APIs: v2 is ours, a superset of the ISIC Archive's; v1 is Grand Challenge's."""
