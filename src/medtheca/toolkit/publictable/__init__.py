"""The table of public metadata: its columns, out of the fields of the packs, and the Parquet file of its rows.

Pure: what is public, and which images are, is said by whoever gives the rows.
"""
