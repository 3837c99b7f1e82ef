"""Pages for judging images: the queue, the gallery of a cohort, one submission, redaction."""
