"""Slide containers of every maker, small and synthetic, as OpenSlide recognises them.

They prove that our code goes the right way, not that real scanners' files are read. Labels and macros are drawn in
`MARKER` and carry `CANARY`: neither may turn up in anything that is made of a slide.
"""

import io
import struct

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage, generate_uid

CANARY = "Mary Canary 1947-03-29"
MARKER = (255, 0, 255)
TILE = 64
SHORT, LONG, ASCII, RATIONAL, UNDEFINED, SLONG, FLOAT, LONG8 = 3, 4, 2, 5, 7, 9, 11, 16
_CODES = {SHORT: "H", LONG: "I", RATIONAL: "II", SLONG: "i", FLOAT: "f", LONG8: "Q"}


def tissue(width=512, height=384, seed=0):
    """Rosy slopes with dark nuclei: (height, width, 3), uint8; nothing near `MARKER`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([220 - x * 40 / width, 140 + y * 50 / height, 180 - 30 * np.sin(x / 23) * np.cos(y / 17)], 2)
    for _ in range(width * height // 2500):
        at_x, at_y, size = rng.integers(0, width), rng.integers(0, height), rng.integers(2, 7)
        picture[(x - at_x) ** 2 + (y - at_y) ** 2 < size * size] = (90, 60, 130)
    return np.clip(picture, 0, 255).astype(np.uint8)


def marked(width=96, height=96):
    """A label: all in the colour that must never be seen."""
    return np.full((height, width, 3), MARKER, np.uint8)


def shrunk(picture, by):
    height, width = picture.shape[0] // by * by, picture.shape[1] // by * by
    parts = picture[:height, :width].reshape(height // by, by, width // by, by, 3)
    return parts.mean((1, 3)).round().astype(np.uint8)


def jpeg(picture, *, sampling="4:2:0", restart=0, quality=90, rgb=False):
    file = io.BytesIO()
    options = {"restart_marker_blocks": restart} if restart else {}
    options |= {"keep_rgb": True} if rgb else {"subsampling": sampling}
    Image.fromarray(picture).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def tiles_of(picture, side=TILE, **options):
    """JPEG tiles row by row, padded with white."""
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, -height % side), (0, -width % side), (0, 0)), constant_values=255)
    return [
        jpeg(np.ascontiguousarray(padded[y : y + side, x : x + side]), **options)
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]


def tiff(pages, *, big=False, order="<", order_of_pieces=None):
    """A TIFF file of pages, each (tags, pieces): tags are {number: (type, values)}, pieces its strips or tiles.

    With `order_of_pieces` its tiles are these of the pieces, by number: a huge picture in a small file.
    """
    word, head = ("Q", 16) if big else ("I", 8)
    out = bytearray(head)
    out[:4] = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    if big:
        struct.pack_into(f"{order}HH", out, 4, 8, 0)
    link = head - struct.calcsize(word)
    for tags, pieces in pages:
        places = []
        for piece in pieces:
            out += bytes(-len(out) % 2)
            places.append(len(out))
            out += piece
        lengths = [len(piece) for piece in pieces]
        if order_of_pieces is not None:
            places = [places[number] for number in order_of_pieces]
            lengths = [lengths[number] for number in order_of_pieces]
        where = (324, 325) if 322 in tags else (273, 279)
        kind = LONG8 if big else LONG
        whole = {**tags, where[0]: (kind, places), where[1]: (LONG, lengths)}
        entries = b""
        for number, (kind, values) in sorted(whole.items()):
            packed, count = _pack(kind, values, order)
            if len(packed) > struct.calcsize(word):
                out += bytes(-len(out) % 8)
                at = len(out)
                out += packed
                packed = struct.pack(order + word, at)
            entries += struct.pack(f"{order}HH{word}", number, kind, count) + packed.ljust(struct.calcsize(word), b"\0")
        out += bytes(-len(out) % 8)
        struct.pack_into(order + word, out, link, len(out))
        out += struct.pack(f"{order}{'Q' if big else 'H'}", len(whole)) + entries
        link = len(out)
        out += bytes(struct.calcsize(word))
    return bytes(out)


def _pack(kind, values, order):
    if isinstance(values, str):
        values = values.encode() + b"\0"
    if isinstance(values, bytes):
        return values, len(values)
    values = values if isinstance(values, (list, tuple)) else [values]
    if kind == RATIONAL:
        return b"".join(struct.pack(f"{order}II", *value) for value in values), len(values)
    return struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values), len(values)


def page(picture, *, tiled=True, coding="jpeg", side=TILE, description=None, rgb=False, more=None, reduced=0):
    """Tags and pieces of a picture of 8-bit RGB, in JPEG or uncompressed, in tiles or one strip."""
    height, width = picture.shape[:2]
    is_jpeg = coding == "jpeg"
    tags = {
        254: (LONG, reduced), 256: (LONG, width), 257: (LONG, height), 258: (SHORT, [8, 8, 8]),
        259: (SHORT, 7 if is_jpeg else 1), 262: (SHORT, 6 if is_jpeg and not rgb else 2), 277: (SHORT, 3),
        284: (SHORT, 1), **(more or {}),
    }  # fmt: skip
    if is_jpeg and not rgb:
        tags[530] = (SHORT, [2, 2])
    if description is not None:
        tags[270] = (ASCII, description)
    if tiled:
        tags |= {322: (LONG, side), 323: (LONG, side)}
        return tags, tiles_of(picture, side, rgb=rgb)
    tags[278] = (LONG, height)
    return tags, [jpeg(picture, rgb=rgb) if is_jpeg else picture.tobytes()]


def aperio(picture, *, rgb=False):
    """.svs: finest level, thumbnail in strips, a level, label and macro."""
    height, width = picture.shape[:2]
    words = f"Aperio Image Library v1.0\r\n{width}x{height} [0,0 {width}x{height}] ({TILE}x{TILE}) JPEG/RGB Q=90"
    told = f"|AppMag = 40|MPP = 0.2510|ScanScope ID = SS1|User = {CANARY}|Title = {CANARY}|Filename = {CANARY}"
    small = shrunk(picture, 4)
    return tiff(
        [
            page(picture, description=words + told, rgb=rgb),
            page(shrunk(picture, 4), tiled=False, description=f"Aperio Image Library v1.0\r\n{width}x{height} -> x"),
            page(small, description=f"{words} -> {small.shape[1]}x{small.shape[0]}{told}", rgb=rgb),
            page(
                marked(),
                tiled=False,
                coding="raw",
                reduced=1,
                description=f"Aperio Image Library v1.0\r\nlabel {CANARY}",
            ),
            page(marked(200, 80), tiled=False, reduced=9, description=f"Aperio Image Library v1.0\r\nmacro {CANARY}"),
        ]
    )


def generic(picture, *, levels=3, more=None, **options):
    """A tiled pyramid that no maker claims."""
    resolution = {282: (RATIONAL, [(20000, 1)]), 283: (RATIONAL, [(20000, 1)]), 296: (SHORT, 3)}
    pages = []
    for level in range(levels):
        small = shrunk(picture, 2**level) if level else picture
        tags = resolution | (more or {}) if not level else more
        pages.append(page(small, reduced=min(level, 1), more=tags, **options))
    return tiff(pages, big=True)


def leica(picture):
    """.scn: XML names which directory is the macro and which the levels."""
    height, width = picture.shape[:2]
    small, nm = shrunk(picture, 4), 500

    def image(levels, view, place, power):
        sizes = "".join(
            f'<dimension sizeX="{p.shape[1]}" sizeY="{p.shape[0]}" r="{r}" ifd="{ifd}"/>'
            for r, (p, ifd) in enumerate(levels)
        )
        return (
            f'<image name="i" uuid="urn:uuid:0"><creationDate>2020-01-02T03:04:05Z</creationDate>'
            f'<device model="Leica SCN400" version="1"/><pixels sizeX="{levels[0][0].shape[1]}" '
            f'sizeY="{levels[0][0].shape[0]}">{sizes}</pixels><view sizeX="{view[0]}" sizeY="{view[1]}" '
            f'offsetX="{place}" offsetY="{place}" spacingZ="0"/><scanSettings><objectiveSettings><objective>{power}'
            "</objective></objectiveSettings><illuminationSettings><numericalAperture>0.4</numericalAperture>"
            "<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>"
        )

    canvas = ((width + 200) * nm, (height + 200) * nm)
    macro = marked(128, 128)
    xml = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01" uuid="urn:uuid:0">'
        f'<collection name="{CANARY}" uuid="urn:uuid:0" sizeX="{canvas[0]}" sizeY="{canvas[1]}">'
        f"<barcode>TWFyeSBDYW5hcnk=</barcode>{image([(macro, 0)], canvas, 0, 0.6)}"
        f"{image([(picture, 1), (small, 2)], (width * nm, height * nm), 100 * nm, 20)}</collection></scn>"
    )
    fine = {282: (RATIONAL, [(20000, 1)]), 283: (RATIONAL, [(20000, 1)]), 296: (SHORT, 3)}
    return tiff([page(macro, description=xml), page(picture, more=fine), page(small)], big=True)


def ventana(picture, *, side=128):
    """.bif: XMP packets of <iScan> and <EncodeInfo>; tiles are numbered in a serpentine from the lower left."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    picture = picture[: rows * side, : columns * side]

    def number(row, column):
        up = rows - 1 - row
        return up * columns + (columns - 1 - column if up % 2 else column) + 1

    def joint(way, one, other):
        return (
            f'<TileJointInfo FlagJoined="1" Confidence="99" Direction="{way}" Tile1="{one}" Tile2="{other}" '
            'OverlapX="0" OverlapY="0"/>'
        )

    joints = ""
    for row in range(rows):
        for column in range(columns):
            if column + 1 < columns:
                joints += joint("RIGHT", number(row, column), number(row, column + 1))
            if row:
                joints += joint("UP", number(row, column), number(row - 1, column))
    scan = (
        '<?xml version="1.0"?><Metadata><iScan Magnification="20" ScanRes="0.465" UnitNumber="1" '
        f'BuildVersion="3.3.1.1" Barcode1D="{CANARY}" ScannerModel="VENTANA DP 200">'
        '<AOI0 Left="0" Top="0" Right="1" Bottom="1"/></iScan></Metadata>'
    ).encode()
    encoded = (
        f'<?xml version="1.0"?><EncodeInfo Ver="2"><SlideInfo/><SlideStitchInfo><ImageInfo AOIScanned="1" AOIIndex="0" '
        f'NumRows="{rows}" NumCols="{columns}" Width="{side}" Height="{side}" Pos-X="0" Pos-Y="0">{joints}</ImageInfo>'
        '</SlideStitchInfo><AoiOrigin><AOI0 OriginX="0" OriginY="0"/></AoiOrigin></EncodeInfo>'
    ).encode()
    pages = [page(marked(128, 128), tiled=False, description="Label_Image", more={700: (UNDEFINED, scan)})]
    for level in range(2):
        small = shrunk(picture, 2**level) if level else picture
        more = None if level else {700: (UNDEFINED, encoded)}
        pages.append(page(small, side=side, description=f"level={level} mag={20 / 2**level:g} quality=90", more=more))
    return tiff(pages, big=True)


def restarts(data):
    """Where the coded data of each restart interval begins."""
    at = 2
    while data[at + 1] != 0xDA:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    found = [at]
    while (at := data.find(b"\xff", at)) >= 0:
        if 0xD0 <= data[at + 1] <= 0xD7:
            found.append(at + 2)
        at += 2
    return found


def hamamatsu(picture):
    """.ndpi: one JPEG a level, cut by restart markers whose places a tag names; the macro has lens -1."""
    pages = []
    for lens, shown in ((20.0, picture), (5.0, shrunk(picture, 4)), (-1.0, marked(160, 80))):
        cut = lens > 0 and not shown.shape[1] % 128
        # OpenSlide reads intervals of 4:2:2 only.
        coded = jpeg(shown, sampling="4:2:2", restart=8 if cut else 0)
        more = {
            271: (ASCII, "Hamamatsu"), 272: (ASCII, "NanoZoomer S60"), 282: (RATIONAL, [(20000, 1)]),
            283: (RATIONAL, [(20000, 1)]), 296: (SHORT, 3), 65420: (LONG, 1), 65421: (FLOAT, lens), 65422: (LONG, 0),
            65423: (LONG, 0), 65424: (SLONG, 0), 65427: (ASCII, CANARY),
        }  # fmt: skip
        if cut:
            more[65426] = (LONG, restarts(coded))
        tags, _ = page(shown, tiled=False, more=more)
        tags.pop(530)
        pages.append((tags, [coded]))
    return tiff(pages)


def write_vms(folder, picture):
    """.vms: a key file, two JPEGs side by side, a map and a macro; the names of all files, the key file first."""
    half = picture.shape[1] // 2
    small, files = shrunk(picture, 4), {}
    for name, part in (("s.jpg", picture[:, :half]), ("s(1,0).jpg", picture[:, half:])):
        files[name] = jpeg(np.ascontiguousarray(part), sampling="4:2:2", restart=8)
    files["s_map.jpg"] = jpeg(small, sampling="4:2:2", restart=small.shape[1] // 16)
    files["s_macro.jpg"] = jpeg(marked())
    height, width = picture.shape[:2]
    keys = (
        "[Virtual Microscope Specimen]\nNoLayers=1\nNoJpegColumns=2\nNoJpegRows=1\nImageFile=s.jpg\n"
        "ImageFile(1,0)=s(1,0).jpg\nMapFile=s_map.jpg\nMacroImage=s_macro.jpg\n"
        f"PhysicalWidth={width * 500}\nPhysicalHeight={height * 500}\nSourceLens=20\nAuthCode={CANARY}\n"
    )
    return _write(folder, {"s.vms": keys.encode()} | files)


def write_vmu(folder, picture):
    """.vmu: a key file, the picture and its map uncompressed in columns (NGR), and a macro."""

    def ngr(shown, column):
        height, width = shown.shape[:2]
        head = struct.pack("<2sH3i8xi", b"GN", 0, width, height, column, 28)
        return head + b"".join((shown[:, x : x + column].astype("<u2") << 4).tobytes() for x in range(0, width, column))

    height, width = picture.shape[:2]
    keys = (
        "[Uncompressed Virtual Microscope Specimen]\nNoLayers=1\nImageFile=u.ngr\nMapFile=u_map.ngr\n"
        f"MacroImage=u_macro.jpg\nBitsPerPixel=36\nPixelOrder=RGB\nPhysicalWidth={width * 500}\n"
        f"PhysicalHeight={height * 500}\nSourceLens=20\n"
    )
    files = {"u.vmu": keys.encode(), "u.ngr": ngr(picture, 64), "u_map.ngr": ngr(shrunk(picture, 4), 32)}
    return _write(folder, files | {"u_macro.jpg": jpeg(marked())})


def write_mirax(folder, picture, *, side=128, index="Index.dat"):
    """.mrxs: a stub that shows the macro, and a folder with key file, index and data of two levels."""
    ident = "0123456789ABCDEF0123456789ABCDEF0"[:32]
    levels, side2 = 2, side
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    data, lists = bytearray(f"01.02{ident}".encode()), []
    for level in range(levels):
        small = shrunk(picture, 2**level) if level else picture
        records = []
        for row in range(small.shape[0] // side2):
            for column in range(small.shape[1] // side2):
                coded = jpeg(
                    np.ascontiguousarray(small[row * side : (row + 1) * side, column * side : (column + 1) * side])
                )
                records.append(((row << level) * columns + (column << level), len(data), len(coded), 0))
                data += coded
        lists.append(records)
    places = bytearray(f"01.02{ident}".encode())
    places += struct.pack("<ii", len(places) + 8, 0)
    pointers = len(places)
    places += bytes(4 * levels)
    for level, records in enumerate(lists):
        struct.pack_into("<i", places, pointers + 4 * level, len(places))
        places += struct.pack("<iiii", 0, len(places) + 8, len(records), 0)
        for record in records:
            places += struct.pack("<iiii", *record)
    keys = (
        f"[GENERAL]\nSLIDE_ID={ident}\nSLIDE_NAME={CANARY}\nSLIDE_VERSION=01.02\nIMAGENUMBER_X={columns}\n"
        f"IMAGENUMBER_Y={rows}\nOBJECTIVE_MAGNIFICATION=20\nCameraImageDivisionsPerSide=1\n[HIERARCHICAL]\n"
        f"INDEXFILE={index}\nHIER_COUNT=1\nNONHIER_COUNT=0\nHIER_0_NAME=Slide zoom level\nHIER_0_COUNT={levels}\n"
    )
    keys += "".join(f"HIER_0_VAL_{n}=Z{n}\nHIER_0_VAL_{n}_SECTION=LEVEL_{n}\n" for n in range(levels))
    for level in range(levels):
        keys += (
            f"[LEVEL_{level}]\nOVERLAP_X=0\nOVERLAP_Y=0\nMICROMETER_PER_PIXEL_X={0.5 * 2**level}\n"
            f"MICROMETER_PER_PIXEL_Y={0.5 * 2**level}\nIMAGE_FORMAT=JPEG\nIMAGE_FILL_COLOR_BGR=16777215\n"
            f"DIGITIZER_WIDTH={side}\nDIGITIZER_HEIGHT={side}\nIMAGE_CONCAT_FACTOR={min(level, 1)}\n"
        )
    keys += "[DATAFILE]\nFILE_COUNT=1\nFILE_0=Data0000.dat\n"
    inside = {"Slidedat.ini": keys.replace("\n", "\r\n").encode("utf-8-sig"), "Index.dat": places, "Data0000.dat": data}
    return _write(folder, {"m.mrxs": jpeg(marked())} | {f"m/{name}": content for name, content in inside.items()})


def write_dicom(folder, picture, *, side=TILE):
    """A VL Whole Slide Microscopy Image of one level, tiled fully, and a label beside it."""
    names, series, study = [], generate_uid(), generate_uid()
    for name, shown, flavour in (("level.dcm", picture, "VOLUME"), ("label.dcm", marked(side, side), "LABEL")):
        height, width = shown.shape[:2]
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = JPEGBaseline8Bit
        meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        data = FileDataset(name, {}, file_meta=meta, preamble=bytes(128))
        data.SOPClassUID, data.SOPInstanceUID = VLWholeSlideMicroscopyImageStorage, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.StudyInstanceUID, data.Modality = series, study, "SM"
        data.PatientName, data.Manufacturer, data.ManufacturerModelName = CANARY, "Leica Biosystems", "Aperio GT450"
        data.ImageType = ["ORIGINAL", "PRIMARY", flavour, "NONE"]
        data.Rows = data.Columns = side
        data.TotalPixelMatrixRows, data.TotalPixelMatrixColumns = height, width
        data.TotalPixelMatrixFocalPlanes = data.NumberOfOpticalPaths = 1
        data.DimensionOrganizationType = "TILED_FULL"
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "YBR_FULL_422", 0
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.PixelRepresentation = 7, 0
        data.SharedFunctionalGroupsSequence = [_measures()]
        coded = tiles_of(shown, side, sampling="4:2:2")
        data.NumberOfFrames = len(coded)
        data.PixelData = encapsulate(coded)
        data.save_as(folder / name, enforce_file_format=True)
        names.append(name)
    return tuple(names)


def _measures():
    from pydicom.dataset import Dataset

    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.0005, 0.0005]
    shared.PixelMeasuresSequence = [measures]
    return shared


def _write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)
    return tuple(files)


def write_all(folder, picture):
    """Every container in a folder of its own: {maker: (folder, names)}; pictures must be multiples of 256 large."""
    single = {
        "aperio": ("a.SVS", aperio(picture)),
        "aperio-rgb": ("b.svs", aperio(picture, rgb=True)),
        "hamamatsu-ndpi": ("c.ndpi", hamamatsu(picture)),
        "leica": ("d.scn", leica(picture)),
        "ventana": ("e.bif", ventana(picture)),
        "generic": ("f.tif", generic(picture)),
    }
    made = {}
    for maker, (name, content) in single.items():
        (folder / maker).mkdir()
        made[maker] = (folder / maker, _write(folder / maker, {name: content}))
    several = {
        "hamamatsu-vms": write_vms,
        "hamamatsu-vmu": write_vmu,
        "mirax": write_mirax,
        "dicom": write_dicom,
    }
    for maker, write in several.items():
        (folder / maker).mkdir()
        made[maker] = (folder / maker, write(folder / maker, picture))
    return made
