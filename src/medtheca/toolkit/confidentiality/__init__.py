"""DICOM without identity: PS3.15 Annex E, the Basic Application Level Confidentiality Profile and some of its options.

What the standard's table does not name is not trusted either: see `walk`. `file.deidentify` is the way in. This is no
part of `toolkit.deidentify`, which the readers of `toolkit.images` are built on, because it is built on them itself.
"""
