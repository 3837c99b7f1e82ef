"""Writes the phantom in every format that says where its voxels are, and gives the name of the main file."""

import gzip
import zlib
from dataclasses import replace

import numpy as np

from tests.generators import dicoms, volumes

# LPS is ours; the axes that other spaces turn round.
_SPACES = {"left-posterior-superior": (1, 1, 1), "right-anterior-superior": (-1, -1, 1), "LAS": (1, -1, 1)}


def _keep(folder, **contents):
    files = volumes.keep(folder, **contents)
    return files.main


def mha(folder, grid, _seed):
    data = volumes.mha(grid.voxels, spacing=grid.spacing, origin=grid.origin, direction=grid.direction, packed=True)
    return _keep(folder, a_mha=data)


def mhd_raw(folder, grid, _seed):
    header, payload = volumes.metaimage(
        grid.voxels, spacing=grid.spacing, origin=grid.origin, direction=grid.direction, data_file="a.raw", big=True
    )
    return _keep(folder, a_mhd=header, a_raw=payload)


def mhd_zraw(folder, grid, _seed):
    header, payload = volumes.metaimage(
        grid.voxels, spacing=grid.spacing, origin=grid.origin, direction=grid.direction, data_file="a.zraw", packed=True
    )
    assert zlib.decompress(payload)
    return _keep(folder, a_mhd=header, a_zraw=payload)


def _ras(grid):
    """NIfTI's space is RAS: the first two axes the other way round."""
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    return matrix @ volumes.affine(spacing=grid.spacing, origin=grid.origin, direction=grid.direction)


def nifti1_sform(folder, grid, _seed):
    return _keep(folder, a_nii=volumes.nifti(grid.voxels, sform=_ras(grid), sform_code=1))


def nifti1_qform(folder, grid, _seed):
    return _keep(folder, a_nii=volumes.nifti(grid.voxels, qform=_ras(grid), qform_code=1, big=True))


def nifti2_sform(folder, grid, _seed):
    return _keep(folder, a_nii=volumes.nifti(grid.voxels, sform=_ras(grid), sform_code=1, version=2))


def nifti2_qform(folder, grid, _seed):
    data = volumes.nifti(grid.voxels, qform=_ras(grid), qform_code=1, version=2)
    return _keep(folder, a_nii_gz=gzip.compress(data, 1))


def _nrrd(folder, grid, space, **options):
    turn = np.diag(_SPACES[space])
    origin = tuple(float(value) for value in turn @ np.array(grid.origin))
    data = volumes.nrrd(
        grid.voxels, space=space, spacing=grid.spacing, origin=origin, direction=turn @ grid.direction, **options
    )
    return _keep(folder, a_nrrd=data)


def nrrd_lps(folder, grid, _seed):
    return _nrrd(folder, grid, "left-posterior-superior", encoding="gzip")


def nrrd_ras(folder, grid, _seed):
    return _nrrd(folder, grid, "right-anterior-superior")


def nrrd_las(folder, grid, _seed):
    return _nrrd(folder, grid, "LAS", big=True)


def _slices(grid):
    """Position, row, column and pixels of each slice, in the order of the grid."""
    row, column, step = grid.direction.T
    origin = np.array(grid.origin)
    places = [origin + step * grid.spacing[2] * number for number in range(grid.voxels.shape[1])]
    return places, row, column, list(grid.voxels[0])


def dicom_series(folder, grid, seed):
    """The slices in an order of no meaning, their InstanceNumber against the grid."""
    places, row, column, pixels = _slices(grid)
    order = np.random.default_rng(seed).permutation(len(places))
    data = dicoms.series(
        [places[at] for at in order],
        pixels=[pixels[at] for at in order],
        row=row,
        column=column,
        each=lambda number: {"InstanceNumber": int(len(places) - order[number])},
        PixelSpacing=[grid.spacing[1], grid.spacing[0]],
    )
    return dicoms.keep(folder, *data).main


def enhanced_dicom(folder, grid, seed):
    """One file of many frames, in an order of no meaning."""
    places, row, column, pixels = _slices(grid)
    order = np.random.default_rng(seed).permutation(len(places))
    groups = [
        dicoms.group(PlanePositionSequence={"ImagePositionPatient": [float(value) for value in places[at]]})
        for at in order
    ]
    shared = dicoms.group(
        PlaneOrientationSequence={"ImageOrientationPatient": [float(value) for value in (*row, *column)]},
        PixelMeasuresSequence={"PixelSpacing": [grid.spacing[1], grid.spacing[0]]},
    )
    data = dicoms.enhanced(np.stack([pixels[at] for at in order]), groups, shared=shared)
    return dicoms.keep(folder, data).main


WRITERS = {
    function.__name__: function
    for function in (
        mha, mhd_raw, mhd_zraw, nifti1_sform, nifti1_qform, nifti2_sform, nifti2_qform, nrrd_lps, nrrd_ras, nrrd_las,
        dicom_series, enhanced_dicom,
    )
}  # fmt: skip


def ome_tiff(folder, grid, _seed):
    """OME says how large voxels are, and nothing of the patient."""
    import tifffile

    x, y, z = grid.spacing
    said = {"axes": "ZYX", "PhysicalSizeX": x, "PhysicalSizeY": y, "PhysicalSizeZ": z}
    said |= {f"PhysicalSize{axis}Unit": "mm" for axis in "XYZ"}
    tifffile.imwrite(folder / "a.ome.tif", grid.voxels[0].astype(np.uint16), ome=True, metadata=said)
    return "a.ome.tif"


def without_place(grid):
    """The grid as a file has it that knows sizes alone."""
    return replace(grid, origin=(0.0, 0.0, 0.0), direction=np.eye(3))
