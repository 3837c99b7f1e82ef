"""Where images come from, and who answers for them.

Owns contributors, cohorts, accessions, deliveries with a verdict for each file, patients and lesions, reviews and
publish requests. Words: *contributor*, *cohort*, *accession*, *delivery* (an upload given to a cohort), *verdict*,
*refused* (by the machine), *rejected* (by a person). Every image is in exactly one cohort, every cohort belongs to
exactly one contributor. Does not own the values of metadata fields.
"""
