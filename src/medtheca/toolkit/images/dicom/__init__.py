"""DICOM: what a file is made of, its header, its frames, where they lie in the patient.

`structure` walks every element before anything else does and says where the pixels are; `headers` gives typed values,
read by pydicom; `frames` and `codecs` decode pixels one frame at a time; `planes` says where a frame lies and `grids`
which frames form a regular grid; `codes` holds the standard's terms. The reader itself is `readers/dicom.py`.
"""
