"""A decoder of cases that hands files to the libraries of images, each named by the options."""

import io
from pathlib import Path

import imagecodecs
import nibabel
import nrrd
import numpy as np
import openslide
import pydicom
import tifffile
from openslide import OpenSlide
from PIL import Image


def run(folder, outputs, options, progress):
    array = globals()[f"read_{options['library']}"](folder, options["name"], outputs)
    return {"shape": list(array.shape), "dtype": array.dtype.name, "sum": float(array.astype("f8").sum())}


def warm_up():
    """Load what is loaded late: codecs of imagecodecs and tifffile, Pillow's plugins, pydicom's decoders, nibabel."""
    Image.init()
    pixels = np.arange(64 * 64, dtype="u2").reshape(64, 64)
    for encode, decode, data in (
        (imagecodecs.jpeg_encode, imagecodecs.jpeg_decode, pixels.astype("u1")),
        (imagecodecs.jpeg2k_encode, imagecodecs.jpeg2k_decode, pixels),
        (imagecodecs.jpegls_encode, imagecodecs.jpegls_decode, pixels),
        (imagecodecs.ljpeg_encode, imagecodecs.ljpeg_decode, pixels),
        (imagecodecs.lzw_encode, imagecodecs.lzw_decode, pixels.tobytes()),
        (imagecodecs.deflate_encode, imagecodecs.deflate_decode, pixels.tobytes()),
        (imagecodecs.packbits_encode, imagecodecs.packbits_decode, pixels.tobytes()),
        (imagecodecs.png_encode, imagecodecs.png_decode, pixels.astype("u1")),
    ):
        decode(encode(data))
    for compression in ("jpeg", "lzw", "deflate", None):
        file = io.BytesIO()
        tifffile.imwrite(file, pixels.astype("u1"), compression=compression, tile=(16, 16), maxworkers=1)
        file.seek(0)
        tifffile.imread(file, maxworkers=1)
    pydicom.pixels.get_decoder(pydicom.uid.JPEG2000).available_plugins  # noqa: B018 - looks for its plugins once
    nibabel.Nifti1Image.from_bytes(nibabel.Nifti1Image(np.zeros((2, 2, 2), "u1"), np.eye(4)).to_bytes()).get_fdata()
    openslide.OpenSlide.detect_format("nothing")


def read_openslide(folder, name, outputs):
    with OpenSlide(folder / name) as slide:
        regions = [slide.read_region((0, 0), level, (64, 64)) for level in range(slide.level_count)]
        assert slide.properties["openslide.vendor"]
        return np.stack([np.asarray(region) for region in regions])


def read_tifffile(folder, name, outputs):
    """Read a page, and write it as a tiled pyramid would be: straight into an output."""
    with tifffile.TiffFile(folder / name) as tiff:
        array = tiff.pages[0].asarray(maxworkers=1)
    if (output := outputs.get("pyramid")) is not None:
        with tifffile.TiffWriter(output, bigtiff=True) as writer:
            for step in (1, 2):
                part = np.ascontiguousarray(array[::step, ::step])
                writer.write(part, tile=(256, 256), compression="deflate", maxworkers=1, subfiletype=int(step > 1))
    return array


def read_pydicom(folder, name, outputs):
    return pydicom.dcmread(folder / name).pixel_array


def read_series(folder, name, outputs):
    paths = sorted(path for path in Path(folder).iterdir() if path.is_file())
    return np.stack([pydicom.dcmread(path).pixel_array for path in paths])


def read_nibabel(folder, name, outputs):
    return np.asanyarray(nibabel.load(folder / name).dataobj)


def read_nrrd(folder, name, outputs):
    return nrrd.read(str(folder / name))[0]


def read_imagecodecs(folder, name, outputs):
    return (
        imagecodecs.imread(folder / name)
        if name.endswith(".tif")
        else imagecodecs.jpeg_decode((folder / name).read_bytes())
    )
