"""Pictures made from pixels for looking at: rebuildable, and tagged with the recipe that made them."""
