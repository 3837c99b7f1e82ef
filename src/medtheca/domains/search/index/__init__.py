"""The search index: bitmaps of every image, in each process that answers, as new as the answer's own snapshot.

`reading` makes bitmaps of rows, `catching_up` applies the log of changes, `keeping` stores and mends, `holding` is what
a process has. The truth stays in the tables; where there is any doubt, SQL answers. See docs/flows/search.md.
"""
