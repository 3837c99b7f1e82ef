"""Look-up tables: what is wrong is told by the number of its stop, and what is drawn is what the table says."""

import pytest

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.look_up_tables import (
    LONGEST_TEXT,
    MOST_STOPS,
    SAMPLES,
    parse_alphas,
    parse_colours,
    shades,
)

RED_TO_BLUE = "[255 0 0 0, 0 0 255 10]"
SOLID = parse_alphas("[1 0, 1 10]")


def colours_of(text, between="RGB"):
    return [tuple(round(part) for part in colour) for _, colour, _ in shades(parse_colours(text), SOLID, between)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ", "nothing"),
        ("0 0 0 0, 1 1 1 1", "does not stand between [ and ]"),
        ("[0 0 0 0]", "There is 1 stop."),
        ("[]", "There is 1 stop."),
        ("[0 0 0 0, 1 1 1]", "Stop 2, “1 1 1”, is not 4 numbers."),
        ("[0 0 0 0,, 1 1 1 1]", "Stop 2, “”, is not 4 numbers."),
        ("[0 0 0 0, [1 1 1 1]]", "Stop 2, “[1 1 1 1]”"),
        ("[0 0 0 0, 1 1 \u0661 1]", "Stop 2"),
        ("[0 0 0 0, 1 1 1 inf]", "Stop 2"),
        ("[0 0 0 0, 1 1 1 1e999]", "Stop 2 is farther away than any value."),
        ("[0 0 0 0, 1 256 1 1]", "Stop 2 has a colour that is not between 0 and 255."),
        ("[0 0 0 0, 1 -1 1 1]", "Stop 2 has a colour"),
        ("[0 0 0 0, 1 1 1 5, 1 1 1 4]", "Stop 3 is at 4, before the one that it follows, at 5."),
        (f"[{','.join(['0 0 0 0'] * (MOST_STOPS + 1))}]", "There are 4,097 stops."),
        (f"[{' ' * LONGEST_TEXT}]", "characters"),
    ],
)
def test_what_is_wrong_is_told_by_its_stop(text, words):
    with pytest.raises(Refused) as refused:
        parse_colours(text)
    assert words in refused.value.message
    assert refused.value.remedy.startswith("Write ")


def test_opacities_are_told_from_colours():
    with pytest.raises(Refused, match="Stop 1 has an opacity that is not between 0 and 1"):
        parse_alphas("[2 0, 1 1]")


def test_as_many_stops_as_there_may_be_are_read():
    text = f"[{', '.join(f'254.123456 0.5 0 {number}' for number in range(MOST_STOPS))}]"
    assert len(parse_colours(text)) == MOST_STOPS


def test_straight_lines_are_left_to_who_draws():
    assert colours_of(RED_TO_BLUE) == [(255, 0, 0), (0, 0, 255)]


def test_a_constant_colour_goes_to_the_next_stop():
    assert colours_of("[255 0 0 0, 0 0 255 5, 0 0 0 10]", "Constant") == [
        (255, 0, 0),
        (255, 0, 0),
        (0, 0, 255),
        (0, 0, 255),
        (0, 0, 0),
    ]


def test_two_stops_at_one_place_are_a_jump():
    assert colours_of("[0 0 0 0, 0 0 0 5, 255 0 0 5, 255 0 0 10]") == [(0, 0, 0)] * 2 + [(255, 0, 0)] * 2


@pytest.mark.parametrize(
    ("between", "middle"), [("HLS", "magenta"), ("HLSneg", "magenta"), ("HLSpos", "green"), ("RGB", "purple")]
)
def test_hues_go_round_their_circle(between, middle):
    rows = shades(parse_colours("[255 0 0 0, 0 0 255 10]"), parse_alphas("[1 0, 1 5, 1 10]"), between)
    _, (red, green, blue), _ = min(rows, key=lambda row: abs(row[0] - 0.5))
    expected = {"magenta": (255, 0, 255), "green": (0, 255, 0), "purple": (127.5, 0, 127.5)}[middle]
    assert (red, green, blue) == pytest.approx(expected, abs=8)


def test_opacities_have_places_of_their_own():
    rows = shades(parse_colours(RED_TO_BLUE), parse_alphas("[0 0, 1 2]"))
    assert [(place, opacity) for place, _, opacity in rows] == [(0, 0), (0.2, 1), (1, 1)]


def test_long_tables_and_those_of_one_place_can_be_drawn():
    many = f"[{', '.join(f'{number % 256} 0 0 {number}' for number in range(MOST_STOPS))}]"
    rows = shades(parse_colours(many), parse_alphas("[0 0, 1 9]"))
    assert SAMPLES <= len(rows) <= 2 * SAMPLES
    assert all(0 <= place <= 1 for place, _, _ in rows)
    assert colours_of("[1 1 1 5, 2 2 2 5]") == [(2, 2, 2)]
