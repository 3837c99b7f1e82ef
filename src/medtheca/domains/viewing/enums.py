"""Enumerations of viewing. Values are Grand Challenge's codes; labels are what its API says."""

from django.db.models import TextChoices


class ImageContext(TextChoices):
    """What kind of images a configuration is made for."""

    PATHOLOGY = "PATH", "Pathology"
    MULTIPARAMETRIC_MRI = "MPMRI", "Multiparametric MRI"


class SlabRenderMethod(TextChoices):
    """How the slices of a slab become one picture."""

    MAXIMUM = "MAX", "Maximum"
    MINIMUM = "MIN", "Minimum"
    AVERAGE = "AVG", "Average"


class Orientation(TextChoices):
    """Along which plane a volume is cut at first."""

    AXIAL = "A", "Axial"
    CORONAL = "C", "Coronal"
    SAGITTAL = "S", "Sagittal"


class Interpolation(TextChoices):
    """How values between voxels are made up."""

    NEAREST = "NN", "NearestNeighbor"
    TRILINEAR = "TL", "Trilinear"
    CUBIC = "CU", "Cubic"
