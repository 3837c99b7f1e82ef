"""What Medtheca costs, beside the limit of the machine or a peer measured in the same run.

`python -m benchmarks` runs every module here that has `run()`, a generator of figures (see `figures.figure`).
Ratios are worth quoting; absolute times belong to one machine on one day.
"""
