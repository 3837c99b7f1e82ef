"""Content that is put together from ranges of files: recipes that say how, and readers of it.

A *recipe* is a file that lists, for each stretch of a content, where its bytes are: in one of the recipe's *sources*,
or in the recipe itself (a *literal*).
"""
