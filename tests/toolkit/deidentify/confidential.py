"""DICOM files that say who somebody is, and what becomes of them."""

import io

import numpy as np
import pydicom

from medtheca.toolkit.confidentiality.file import deidentify
from medtheca.toolkit.confidentiality.profile import Profile
from tests.generators import dicoms as make

KEY = bytes(range(32))
ALL = Profile(retain_longitudinal=True, clean_descriptors=True, clean_structured=True, retain_device=True)
WORDS = "Mary Canary"


def run(data, profile=ALL, *, key=KEY, patient=None):
    return deidentify(data, profile=profile, key=key, patient=patient)


def read(data, profile=ALL, **options):
    return pydicom.dcmread(io.BytesIO(run(data, profile, **options).data))


def ct(**attributes):
    return make.dicom(make.phantom((6, 8), np.int16), **attributes)


def actions(data, profile=ALL):
    return {(taken.path, taken.action): taken.count for taken in run(data, profile).report}
