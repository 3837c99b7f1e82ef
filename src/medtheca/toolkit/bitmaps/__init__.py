"""Bitmaps over numbered images: what each value of each field holds, who sees what, and the order of pages.

Owns sets of numbers and how they answer a query. Does not own where they come from, how they are kept up to date, or
who may ask: see `medtheca.domains.search`. Words: *number* (of an image), *terms* (values of a field, each with its
images), *circle* (a scope with the images that hang in it), *order* (by time, then number).
"""

from medtheca.toolkit.bitmaps.circles import Circle
from medtheca.toolkit.bitmaps.numbers import NONE, Numbers
from medtheca.toolkit.bitmaps.order import Order
from medtheca.toolkit.bitmaps.packing import pack, unpack
from medtheca.toolkit.bitmaps.sets import bitmap_of_mask, bitmap_of_numbers, numbers_of
from medtheca.toolkit.bitmaps.terms import Terms, Value

__all__ = [
    "NONE",
    "Circle",
    "Numbers",
    "Order",
    "Terms",
    "Value",
    "bitmap_of_mask",
    "bitmap_of_numbers",
    "numbers_of",
    "pack",
    "unpack",
]
