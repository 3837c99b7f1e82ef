"""What each area of Grand Challenge's API answers: one module an area, put together in `api.py`."""
