"""What stands for a file that is no picture: a card with its name."""

import textwrap

from PIL import Image, ImageDraw, ImageFont

RECIPE = "card/1"

_SIZE = (512, 384)
_PAPER, _INK, _EDGE = (245, 245, 244), (68, 64, 60), (168, 162, 158)
_LETTERS = 34


def draw_card(title: str) -> Image.Image:
    """A sheet of paper with a title on it, 512 by 384 pixels."""
    picture = Image.new("RGB", _SIZE, (231, 229, 228))
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = 146, 40, 366, 344
    fold = 48
    draw.polygon(
        [(left, top), (right - fold, top), (right, top + fold), (right, bottom), (left, bottom)], _PAPER, _EDGE
    )
    draw.polygon([(right - fold, top), (right - fold, top + fold), (right, top + fold)], (214, 211, 209), _EDGE)
    for place in range(3):
        draw.line([(left + 30, top + 84 + 22 * place), (right - 30, top + 84 + 22 * place)], _EDGE, 3)
    lines = textwrap.wrap(title[:80], 14)[:4]
    font = ImageFont.load_default(_LETTERS * 0.8)
    for place, line in enumerate(lines):
        draw.text(((left + right) / 2, top + 178 + 30 * place), line, _INK, font, anchor="mm")
    return picture
