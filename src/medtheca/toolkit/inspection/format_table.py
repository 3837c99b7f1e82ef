"""The formats that are read, in words. What `format_page` finds in sample files stands beside each."""

from dataclasses import dataclass

from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY
from medtheca.toolkit.images.readers.tiff import LARGE_PIXELS

_VOXELS = f"The values that are kept may take {DEFAULT_MEMORY / 1e9:.1f} GB; a header that promises more is refused."
_VOLUME = (
    "A volume: a compressed `.mha` with its place in space (LPS, mm), where its slices lie in it, a reduced copy where "
    "it is larger than 128 voxels, a web picture and a thumbnail."
)
_SLIDE = "A slide: a pyramid of JPEG tiles (BigTIFF), a web picture and a thumbnail; never its label or macro picture."
_PICTURE = "A picture: a copy without what names people or places, a web picture and a thumbnail where it is large."


@dataclass(frozen=True, slots=True)
class Format:
    """One row. `samples` are patterns of paths within the sample folder; each match is opened with its companions.

    `tested` says by what the format is tested where there are no such files, or beside them.
    """

    name: str
    extensions: str
    reads: str
    becomes: str
    limits: str
    refusals: tuple[str, ...]
    samples: tuple[str, ...]
    tested: str = ""


TABLE = (
    Format(
        "JPEG",
        ".jpg .jpeg",
        "Baseline, extended and progressive, 8 bits; grey, RGB, YCbCr, CMYK and YCCK; EXIF orientation; ICC profiles.",
        f"{_PICTURE} Its pixels are not coded anew.",
        "Pixels up to the decoder's memory.",
        ("arithmetic and lossless coding", "12 bits", "a file that ends early"),
        ("jpg/*.jpg", "jpeg/*.jpeg", "dermoscopy/*.jpg"),
    ),
    Format(
        "PNG",
        ".png",
        "Every colour type and depth, interlaced or not; all 16 bits are kept.",
        _PICTURE,
        "Pixels up to the decoder's memory.",
        ("animated PNG", "wrong checksums", "a file that ends early"),
        ("png/*.png",),
    ),
    Format(
        "DICOM",
        ".dcm, any name or none",
        "Single and multi-frame, enhanced, grey, colour and palette; uncompressed in either byte order, deflated, RLE, "
        "JPEG (8 and 12 bits, lossless), JPEG-LS, JPEG 2000, HTJ2K. Files of a series become one volume where their "
        "slices form a regular grid; otherwise they are split and the verdict says why. Rescale slope and intercept "
        "are applied, per frame where they are given so. SEG, RTSTRUCT, SR and encapsulated documents are kept as "
        "what they are, with a card instead of a picture.",
        _VOLUME,
        _VOXELS,
        (
            "video and JPIP transfer syntaxes",
            "the same instance twice",
            "frames that end early",
            "JPEG frames that lost data in their midst (of 12 bits, a loss within one block of 8 by 8 is not noticed)",
            "the index of a disc (DICOMDIR) is not followed",
        ),
        ("dcm/*.dcm", "dcm/ct_3slice", "dcm/n2d_t1", "dcm/series_4d", "dcm/mr700"),
        "Generated files of every transfer syntax, oblique, uneven, tilted, radial and four-dimensional series.",
    ),
    Format(
        "DICOM whole slides",
        ".dcm",
        "Whole-slide microscopy, tiled full or sparse; all files of the series together.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early", "what OpenSlide cannot open"),
        ("dicom_wsi/*.dcm", "dicom_wsi/boxes"),
    ),
    Format(
        "MetaImage",
        ".mha, .mhd with .raw or .zraw",
        "Two to four dimensions, grey, RGB and vectors, compressed or not, either byte order, as ITK reads them.",
        _VOLUME,
        _VOXELS,
        (
            "a data file that did not come with it, or lies elsewhere",
            "lists of data files (LIST, patterns)",
            "five and more dimensions",
        ),
        ("mha/*.mha", "mhd/*.mhd"),
    ),
    Format(
        "NIfTI-1 and NIfTI-2",
        ".nii .nii.gz",
        "Two to four dimensions, RGB and vectors, either byte order; sform before qform; slope and intercept.",
        _VOLUME,
        _VOXELS,
        ("complex numbers", "CIFTI", "pairs of .hdr and .img", "a grid whose axes are not at right angles"),
        ("nii/*.nii", "nii.gz/*.nii.gz"),
        "NIfTI-2 and big-endian files are generated.",
    ),
    Format(
        "NRRD",
        ".nrrd, .nhdr with its data file",
        "Versions 1 to 5; raw, gzip, bzip2, ascii and hex; axes of space, time and samples sorted by their kinds; "
        "spaces LPS, RAS and LAS.",
        _VOLUME,
        _VOXELS,
        ("lists of data files", "complex numbers and matrices", "axes of space that are mixed with time"),
        ("nrrd/*.nrrd",),
        "Headers with a data file of their own are generated.",
    ),
    Format(
        "Topcon OCT",
        ".fda .fds",
        "The tomogram of 3D OCT devices. Photographs of the fundus and measurements stay in the original.",
        _VOLUME,
        _VOXELS,
        ("a file without a tomogram", "samples of other than 16 bits", "a file that ends within a block"),
        ("fda/*.fda", "fds/*.fds"),
    ),
    Format(
        "TIFF",
        ".tif .tiff",
        "Strips and tiles; uncompressed, PackBits, LZW, Deflate, LZMA, Zstandard, fax, JPEG, JPEG 2000 and WebP; "
        "grey, RGB, palette and CMYK; whole and decimal numbers of 1 to 64 bits; "
        "several pages as a stack; BigTIFF.",
        f"{_VOLUME} With pyramids, and above {LARGE_PIXELS:,} pixels of 8 bits: a slide, as below.",
        _VOXELS,
        ("pages of different sizes", "compressions that are not read", "a damaged slide is not read as a plain TIFF"),
        ("tiff/*.tif", "tiff/*.tiff"),
    ),
    Format(
        "OME-TIFF",
        ".ome.tif .ome.tiff",
        "Stacks, channels and time as its OME-XML says; ImageJ's stacks likewise.",
        _VOLUME,
        _VOXELS,
        ("several images in one file", "channels of several samples mixed"),
        ("ome-tiff/*.tif",),
    ),
    Format(
        "Aperio",
        ".svs",
        "By OpenSlide.",
        f"{_SLIDE} JPEG tiles are copied undecoded.",
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early", "a scanner's file that OpenSlide does not take"),
        ("svs/*.svs", "wsi_synth/synth.svs"),
    ),
    Format(
        "Hamamatsu NDPI",
        ".ndpi",
        "By OpenSlide.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early", "a name of another maker's slides"),
        ("wsi_synth/synth.ndpi",),
    ),
    Format(
        "Hamamatsu VMS and VMU",
        ".vms .vmu, with the files that they name",
        "By OpenSlide, all files in one upload.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that the key file names and that did not come", "names that lead elsewhere"),
        ("wsi_synth/synth.vms", "wsi_synth/synth_u.vmu"),
    ),
    Format(
        "Leica SCN",
        ".scn",
        "By OpenSlide.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early",),
        ("wsi_synth/synth.scn",),
    ),
    Format(
        "MIRAX",
        ".mrxs with the folder of its name",
        "By OpenSlide, the file and its folder in one upload.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a .mrxs without its folder",),
        ("wsi_synth/synth.mrxs",),
    ),
    Format(
        "Ventana",
        ".bif",
        "By OpenSlide.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early",),
        ("wsi_synth/synth.bif",),
    ),
    Format(
        "Tiled pyramids of other programs",
        ".tif .tiff",
        "Pyramids of 8 bits, as libvips and others write them.",
        _SLIDE,
        "A slide is read tile by tile: its size does not matter.",
        ("a file that ends early",),
        ("wsi_synth/synth_generic.tiff",),
    ),
)
