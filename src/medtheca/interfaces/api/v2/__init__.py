"""`/api/v2/`: routes, shapes and errors of our API, a superset of the ISIC Archive's."""
