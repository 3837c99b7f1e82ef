"""Pages: gallery, image, upload, cohort, account. HTML first."""
