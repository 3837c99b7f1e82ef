"""What kinds of values a socket can hold, and whether a value, a file or an image is one.

Pure: `kinds` names them, `schemas` and `values` judge JSON, `files` judges bytes by their structure without decoding,
`overlays` judges what was read of an image, `look_up_tables` and `definitions` judge what a socket says of itself.
Codes, labels and schemas are those of Grand Challenge's component interfaces, so that its client and values work.
"""
