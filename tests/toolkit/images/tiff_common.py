"""What the tests of TIFF share."""

import numpy as np
import pytest
import tifffile

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.tiff import TiffReader
from tests.generators import slides as make

MEMORY = 1_000_000_000
PICTURE = make.tissue(150, 110)
GREY = np.ascontiguousarray(PICTURE[:, :, 0])


def read(path, *others, memory=MEMORY):
    return TiffReader().read(Files(path.parent, (path.name, *others)), memory=memory)


def write(path, data, **options):
    tifffile.imwrite(path, data, **({"metadata": None} | options))
    return path


def refuse(path, *others, **options):
    with pytest.raises(Refused) as refused:
        read(path, *others, **options)
    return refused.value.code
