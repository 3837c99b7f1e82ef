"""The steps of describing a cohort by a spreadsheet: reading, checking, applying, undoing, showing, correcting.

`workflows.describe` is what others call.
"""
