"""What somebody says of a setting, checked field by field; the values as they are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from medtheca.base.errors import Problem
from medtheca.domains.sockets.enums import INTERPOLATIONS
from medtheca.domains.viewing.enums import ImageContext, Interpolation, Orientation, SlabRenderMethod
from medtheca.domains.viewing.models import LONGEST_TITLE
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.look_up_tables import Stops, parse_alphas, parse_colours, require_as_many
from medtheca.toolkit.sockets.overlays import check_segments
from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.addresses import address_faults
from medtheca.toolkit.viewing.bindings import binding_faults
from medtheca.toolkit.viewing.faults import Fault, one_of, shown
from medtheca.toolkit.viewing.protocols import protocol_faults

LONGEST_DESCRIPTION = 20_000
FARTHEST = 2**31 - 1

CHOICES: dict[str, tuple[type[ImageContext | SlabRenderMethod | Orientation | Interpolation], bool]] = {
    "image_context": (ImageContext, True),
    "default_slab_render_method": (SlabRenderMethod, True),
    "default_orientation": (Orientation, True),
    "default_image_interpolation": (Interpolation, False),
    "default_overlay_interpolation": (Interpolation, False),
}
"""Fields of a configuration with a fixed set of values, and whether they may be empty."""

BOUNDS: dict[str, tuple[str, str, int]] = {
    "default_slab_thickness_mm": ("0.01", "99.99", 2),
    "default_zoom_scale": ("0.01", "99.99", 2),
    "default_overlay_alpha": ("0", "1", 2),
    "default_brush_size": ("0.000001", "9999.999999", 6),
    "point_bounding_box_size_mm": ("0.01", "99.99", 2),
    "default_annotation_line_width": ("1", "1000", 0),
    "ghosting_slice_depth": ("0", "10000", 0),
}
"""Numbers of a configuration: the least, the most, and decimals."""

REQUIRED = frozenset({"ghosting_slice_depth"})
FLAG_PREFIXES = ("show_", "link_")
FLAGS = frozenset(
    {"default_limit_view_area_to_image_volume", "enable_contrast_enhancement", "auto_jump_center_of_gravity"}
)

TABLE_FIELDS = (
    "color",
    "alpha",
    "color_invert",
    "alpha_invert",
    "range_min",
    "range_max",
    "relative",
    "color_interpolation",
    "color_interpolation_invert",
)
"""Fields of a look-up table that decide what is seen."""

LOWEST, HIGHEST = -(2**15), 2**15 - 1
"""Between which the range of a look-up table lies."""

_NOT_IN_LINE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NOT_IN_TEXT = re.compile("[\x00\ud800-\udfff]")
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def words_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a title and a description."""
    problems = []
    title, description = values.get("title"), values.get("description", "")
    if title is not None and (not title or len(title) > LONGEST_TITLE or _NOT_IN_LINE.search(title)):
        words = "This cannot be a title." if title else "The title is missing."
        problems.append(Problem("title", words, remedy=f"Write up to {LONGEST_TITLE} characters in one line."))
    if len(description) > LONGEST_DESCRIPTION or _NOT_IN_TEXT.search(description):
        remedy = f"Write up to {LONGEST_DESCRIPTION:,} characters of text."
        problems.append(Problem("description", "The description cannot be kept.", remedy=remedy))
    return problems


def as_problems(field: str, faults: Iterable[Fault]) -> list[Problem]:
    """Faults of a piece of JSON as problems of the field that holds it: `json[1].parent_id`."""
    problems = []
    for fault in faults:
        place = fault.place
        dot = "" if not place or place.startswith("[") else "."
        problems.append(Problem(f"{field}{dot}{place}", fault.message, code=fault.code, remedy=fault.remedy))
    return problems


def protocol_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the panels of a hanging protocol."""
    return as_problems("json", protocol_faults(values["json"])) if "json" in values else []


def viewer_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the address of a viewer elsewhere."""
    return as_problems("address", address_faults(values["address"])) if "address" in values else []


def preset_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a window preset, all of whose four numbers are given: None for those that it lacks."""
    fixed = [values[name] for name in ("center", "width")]
    percentiles = [values[name] for name in ("lower_percentile", "upper_percentile")]
    remedy = "Give a centre and a width, or a lower and an upper percentile."
    if (None not in fixed) == (None not in percentiles) or any(
        None in pair and pair != [None, None] for pair in (fixed, percentiles)
    ):
        return [Problem("width", "A window preset has either a centre and width, or two percentiles.", remedy=remedy)]
    problems = []
    if None not in fixed:
        if not 1 <= values["width"] <= FARTHEST:
            problems.append(Problem("width", f"The width is {values['width']}.", remedy="Write 1 or more."))
        if not -FARTHEST <= values["center"] <= FARTHEST:
            remedy = f"Write a number of at most {FARTHEST:,}."
            problems.append(Problem("center", f"The centre is {values['center']}.", remedy=remedy))
        return problems
    lower, upper = percentiles
    for name, value in (("lower_percentile", lower), ("upper_percentile", upper)):
        if not 0 <= value <= 100:
            problems.append(Problem(name, f"The percentile is {value}.", remedy="Write a number from 0 to 100."))
    if not problems and lower >= upper:
        words = f"The upper percentile, {upper}, is not above the lower, {lower}."
        problems.append(Problem("upper_percentile", words, remedy=f"Write more than {lower}."))
    return problems


def table_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a look-up table, all of whose `TABLE_FIELDS` are given."""
    problems = _stops_problems(values["color"], values["alpha"], "color", "alpha")
    inverted = [values["color_invert"], values["alpha_invert"]]
    if all(inverted):
        problems += _stops_problems(inverted[0], inverted[1], "color_invert", "alpha_invert")
    elif any(inverted):
        missing, what = ("alpha_invert", "opacities") if inverted[0] else ("color_invert", "colours")
        words = f"The {what} of the inverted table are missing."
        problems.append(Problem(missing, words, remedy="Write both its colours and its opacities, or neither."))
    problems += _range_problems(values["range_min"], values["range_max"])
    if not isinstance(values["relative"], bool):
        problems.append(Problem("relative", f"This is {shown(values['relative'])}.", remedy="Write true or false."))
    for name in ("color_interpolation", "color_interpolation_invert"):
        if values[name] not in INTERPOLATIONS:
            words = f"There is no interpolation {shown(values[name])}."
            problems.append(Problem(name, words, remedy=one_of(INTERPOLATIONS, values[name])))
    return problems


def _stops_problems(color: str, alpha: str, color_name: str, alpha_name: str) -> list[Problem]:
    problems: list[Problem] = []
    read: dict[str, Stops] = {}
    for name, text, parse in ((color_name, color, parse_colours), (alpha_name, alpha, parse_alphas)):
        try:
            read[name] = parse(text)
        except Refused as refused:
            problems.append(Problem(name, refused.message, code=refused.code, remedy=refused.remedy))
    if not problems:
        try:
            require_as_many(read[color_name], read[alpha_name])
        except Refused as refused:
            problems.append(Problem(alpha_name, refused.message, code=refused.code, remedy=refused.remedy))
    return problems


def _range_problems(lowest: Any, highest: Any) -> list[Problem]:
    remedy = f"Write a whole number from {LOWEST:,} to {HIGHEST:,}."
    problems = [
        Problem(name, f"This is {shown(value)}.", remedy=remedy)
        for name, value in (("range_min", lowest), ("range_max", highest))
        if isinstance(value, bool) or not isinstance(value, int) or not LOWEST <= value <= HIGHEST
    ]
    if not problems and lowest >= highest:
        words = f"The range ends at {highest:,}, which is not above its beginning, {lowest:,}."
        problems.append(Problem("range_max", words, remedy=f"Write more than {lowest:,}."))
    return problems


def configuration_problems(values: dict[str, Any]) -> list[Problem]:
    """What is wrong with the plain fields of a configuration that are given. Numbers are made decimals on the way."""
    problems = []
    for name, value in values.items():
        problem = None
        if name in CHOICES:
            problem = _choice_problem(name, value)
        elif name in BOUNDS:
            values[name], problem = _bounded(name, value)
        elif name == "default_annotation_color" and value and not _COLOUR.fullmatch(value):
            remedy = "Write # and six digits, such as #ff8800."
            problem = Problem(name, f"{shown(value)} is no colour.", remedy=remedy)
        elif (name in FLAGS or name.startswith(FLAG_PREFIXES)) and not isinstance(value, bool):
            problem = Problem(name, f"This is {shown(value)}.", remedy="Write true or false.")
        if problem:
            problems.append(problem)
    if "key_bindings" in values:
        problems += as_problems("key_bindings", binding_faults(values["key_bindings"]))
    if values.get("overlay_segments"):
        try:
            values["overlay_segments"] = check_segments(values["overlay_segments"])
        except Refused as refused:
            problems.append(Problem("overlay_segments", refused.message, code=refused.code, remedy=refused.remedy))
    return problems


def _choice_problem(name: str, value: Any) -> Problem | None:
    choices, may_be_empty = CHOICES[name]
    if value in choices.values or (value == "" and may_be_empty):
        return None
    known = ", ".join(f"{choice.value} ({choice.label})" for choice in choices)
    near = did_you_mean(value, choices.values) if isinstance(value, str) else ""
    empty = ", or nothing" if may_be_empty else ""
    return Problem(name, f"There is no choice {shown(value)}.", remedy=f"{near} Write {known}{empty}.".strip())


def _bounded(name: str, value: Any) -> tuple[Any, Problem | None]:
    least, most, decimals = BOUNDS[name]
    if value is None and name not in REQUIRED:
        return None, None
    remedy = f"Write a number from {least} to {most}" + (f" with at most {decimals} decimals." if decimals else ".")
    wrong = Problem(name, f"This is {value if isinstance(value, Decimal) else shown(value)}.", remedy=remedy)
    try:
        # By way of its text, since 0.1 as a float is a little more than that.
        number = Decimal(str(value))
        fits = number.is_finite() and Decimal(least) <= number <= Decimal(most)
        if isinstance(value, bool) or not fits or number != round(number, decimals):
            return value, wrong
    except (InvalidOperation, ValueError):
        return value, wrong
    return (number if decimals else int(number)), None
