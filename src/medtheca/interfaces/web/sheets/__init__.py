"""Spreadsheets from given to applied, step by step: columns, names, problems, preview; and correcting one image."""
