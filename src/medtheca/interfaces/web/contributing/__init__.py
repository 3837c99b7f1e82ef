"""Pages of contributors and cohorts: what is said of them, their people, moving, merging, licences."""
