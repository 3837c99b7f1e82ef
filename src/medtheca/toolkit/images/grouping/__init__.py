"""Which files of an upload are one image. `describe_file` looks into one file, in the sandbox; `group_files` decides.

A description is plain JSON. Deciding needs nothing but descriptions, so it runs anywhere and over any number of files;
they are the word of strangers' files, and `find_description_fault` looks at them first.
"""

from medtheca.toolkit.images.grouping.describing import describe_file
from medtheca.toolkit.images.grouping.descriptions import find_description_fault
from medtheca.toolkit.images.grouping.groups import Group, group_files

__all__ = ["Group", "describe_file", "find_description_fault", "group_files"]
