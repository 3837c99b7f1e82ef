"""Recipes for spreadsheets that were published elsewhere: one file each, and one entry in `RECIPES`."""

from medtheca.toolkit.schemas.recipe import Recipe
from medtheca.toolkit.schemas.recipes.isic2017 import ISIC_2017
from medtheca.toolkit.suggest import did_you_mean

RECIPES: tuple[Recipe, ...] = (ISIC_2017,)


def find_recipe(name: str) -> Recipe:
    """The recipe of this name; LookupError names those there are.

    >>> find_recipe("isic2017").title
    'ISIC 2017 challenge'
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    known = [recipe.name for recipe in RECIPES]
    hint = did_you_mean(name, known) or f"Known: {', '.join(known)}"
    raise LookupError(f"No spreadsheet recipe '{name}'. {hint}")
