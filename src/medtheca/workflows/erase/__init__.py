"""Erasing a patient: find everything, hide it, remove rows, bytes and words, look for leftovers, give a receipt.

```
finding.py     what there is of a patient: the preview, and the plan of the work
marks.py       which words name the patient so surely that they may be searched for everywhere
running.py     the job: one stage after the other, each of which may be repeated
rows.py        the stage that removes rows; sheets.py cuts the patient's rows out of spreadsheets
reports.py     what checking said of the patient's rows of spreadsheets
words.py       the stage that takes private words out of all tables, sessions, logs and mail files
cleaning.py    dead rows and the write-ahead log
receipts.py    what was removed, in words that identify nobody
lists.py       what is needed to erase again after a restore, beside the database and beside every known backup
replaying.py   erasing again after a restore
```

`docs/flows/erase.md` tells the whole story, and what cannot be done.
"""
