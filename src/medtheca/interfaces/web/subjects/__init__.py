"""Pages of patients, lesions and erasures."""
