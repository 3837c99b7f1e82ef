"""What is said of an accession: values of named fields, versioned.

Owns metadata files, the description of each accession (structured by a schema pack, and unstructured) and every
version of it. Words: *field*, *structured*, *unstructured*, *version*, *metadata file*. Does not own the fields
themselves: they are `toolkit.schemas`.
"""
