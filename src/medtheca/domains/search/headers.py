"""What files say of themselves: where the fields of `ACQUISITION` are, in an image's columns and facts.

They are the file's word. What a sheet says in a column of the same name is metadata: it is kept and shown beside, never
written over this, and not found by these fields.
"""

from __future__ import annotations

FACTS = {
    "modality": "modality",
    "body_part": "body_part",
    "laterality": "laterality",
    "magnification": "magnification",
    "stain": "stain",
    "manufacturer": "manufacturer",
    "manufacturer_model": "model",
}
"""Fields that are among the facts, with their keys there. The others are columns."""
