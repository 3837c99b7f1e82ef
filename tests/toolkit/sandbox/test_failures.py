"""Files that kill, stall or flood their decoder are refused with a reason, and their neighbours are decoded."""

import logging

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Limits
from tests.toolkit.sandbox.common import PROBE, SMALL


def decode_between_neighbours(pool, order, text):
    items = [order("echo before"), order(text), order("echo after")]
    outcomes = {outcome.key: outcome for outcome in pool.run(items)}
    assert len(outcomes) == 3
    for key in ("echo before", "echo after"):
        assert outcomes[key].refusal is None
        assert outcomes[key].parts["text"] == key.split()[1].encode()
    assert outcomes[text].report is None
    assert outcomes[text].parts == {}
    return outcomes[text].refusal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("segfault", "SIGSEGV"),
        ("abort", "SIG"),  # SIGABRT cannot be sent behind the fence: the C library then uses SIGSEGV
        ("exit 0", "code 0"),
        ("exit 3", "code 3"),
        ("shadow_recurse", "SIGSEGV"),
    ],
)
def test_a_file_that_kills_its_decoder_is_refused(pool, order, text, reason):
    refusal = decode_between_neighbours(pool, order, text)
    if text == "shadow_recurse" and refusal.code != "decoder_crashed":
        assert refusal.code in {"decoder_memory", "decoder_error"}  # newer interpreters count this too
        return
    assert refusal.code == "decoder_crashed"
    assert reason in refusal.message
    assert refusal.remedy


def test_a_memory_bomb_is_refused(pool, order):
    refusal = decode_between_neighbours(pool, order, "memory")
    assert refusal.code == "decoder_memory"
    assert "300,000,000 bytes" in refusal.message


@pytest.mark.parametrize("text", ["spin", "close"])
def test_a_loop_is_ended_by_its_processor_time(pool, order, text):
    refusal = decode_between_neighbours(pool, order, text)
    # One that hangs up first is ended at once.
    assert refusal.code == ("decoder_timeout" if text == "spin" else "decoder_crashed")


def test_a_file_that_waits_for_ever_is_refused(order):
    with DecoderPool(PROBE, limits=Limits(wall_seconds=6)) as impatient:
        refusal = decode_between_neighbours(impatient, order, "hang")
    assert refusal.code == "decoder_timeout"
    assert "6 seconds" in refusal.message


def raw(header):
    """An order to answer with this header, whatever it says."""
    return f"raw {len(header):08x}{header.hex()}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("flood x", "bytes long"),
        ("large_part 5000000", "3,000,000 bytes"),
        ("large_report 200000", "100,000 bytes"),
        ("raw ffffffff", "4,294,967,295 bytes long"),
        (raw(b"[]"), "not an object"),
        (raw(b"{}"), "neither a report nor a refusal"),
        (raw(b"\xff\xfe\x00\x01"), "not sound"),
        (raw(b'{"report":1}'), "neither a report nor a refusal"),
        (raw(b'{"report":{"a":NaN}}'), "nan is not a number"),
        (raw(b'{"report":{"a":[1e999]}}'), "inf is not a number"),
        (raw(b'{"report":{"a\\u0000":1}}'), "NUL"),
        (raw(b'{"parts":[["\\ud800",0]]}'), "surrogates not allowed"),
        (raw(b'{"report":{"a":"\\ud800"}}'), "surrogates not allowed"),
        (raw(b"[" * 90_000), "recursion"),
        (raw(b"[" * 70 + b"]" * 70), "nested more than 64"),
        (raw(b'{"report":{},"parts":[["a",99999999]]}'), "99,999,999 bytes"),
        (raw(b'{"report":{},"parts":[["a",-1]]}'), "table of parts is damaged"),
        (raw(b'{"report":{},"parts":[["a",true]]}'), "table of parts is damaged"),
        (raw(b'{"report":{},"parts":[["a",0],["a",1]]}'), "table of parts is damaged"),
        (raw(b'{"report":{},"parts":{}}'), "not a list"),
        (raw(b'{"refusal":{"code":"Bad Code","message":"m","remedy":"r"}}'), "refusal is damaged"),
        # Codes that are the pool's own to give: the first would have the file tried for ever, as our own fault.
        (raw(b'{"refusal":{"code":"input_unreadable","message":"m","remedy":"r"}}'), "refusal is damaged"),
        (raw(b'{"refusal":{"code":"decoder_crashed","message":"m","remedy":"r"}}'), "refusal is damaged"),
        (raw(b'{"refusal":{"code":"decoder_timeout","message":"m","remedy":"r"}}'), "refusal is damaged"),
        (raw(b'{"report":{"width":9223372036854775808}}'), "not a number of 64 bits"),
        (raw(b'{"report":{"width":' + b"9" * 4000 + b"}}"), "not a number of 64 bits"),
        (raw(b'{"report":{"width":' + b"9" * 9000 + b"}}"), "not sound"),
        (raw(b'{"report":{}}'), "belongs to another file"),
        (raw(b'{"report":{},"serial":7}'), "belongs to another file"),
        (raw(b'{"refusal":{"code":"x","message":"m","remedy":"r"}}'), "belongs to another file"),
    ],
)
def test_output_beyond_the_rules_is_refused(pool, order, text, reason):
    refusal = decode_between_neighbours(pool, order, text)
    assert refusal.code == "decoder_output"
    assert reason in refusal.message


def test_an_answer_is_never_taken_for_that_of_the_next_file(pool, order):
    assert decode_between_neighbours(pool, order, "answer_ahead").code == "decoder_output"


def test_a_report_of_too_many_small_things_is_refused_before_it_is_read(order):
    roomy = Limits(cpu_seconds=10, wall_seconds=30)
    with DecoderPool(PROBE, limits=roomy) as pool:
        refusal = decode_between_neighbours(pool, order, "many 2000000")
    assert refusal.code == "decoder_output"
    assert "4,000,002 values" in refusal.message


def test_what_a_decoder_logs_cannot_pass_for_a_line_of_ours(pool, order, caplog):
    with caplog.at_level(logging.WARNING, logger="medtheca.toolkit.sandbox"):
        list(pool.run([order("raise here")]))
    (record,) = [record for record in caplog.records if "do_raise" in record.getMessage()]
    _, *lines = record.getMessage().splitlines()
    assert len(lines) > 2
    assert all(line.startswith("    | ") for line in lines)


@pytest.mark.parametrize("text", ["recurse", "not_json", "nan", "surrogate", "raise_exit"])
def test_a_decoder_that_errs_is_a_refusal(pool, order, text):
    assert decode_between_neighbours(pool, order, text).code == "decoder_error"


def test_an_error_is_told_in_printable_words_and_logged(pool, order, caplog):
    with caplog.at_level(logging.WARNING, logger="medtheca.toolkit.sandbox"):
        refusal = decode_between_neighbours(pool, order, "raise here")
    assert "ValueError: marker [31m here" in refusal.message
    assert "do_raise" in caplog.text
    assert "marker" not in caplog.text
    assert "\x1b" not in caplog.text


def test_a_refusal_by_the_task_passes_through(pool, order):
    refusal = decode_between_neighbours(pool, order, "refuse")
    assert refusal.code == "picture_flat"
    assert refusal.message == "The picture has no second dimension."
    assert refusal.remedy == "Upload a picture."


def test_printing_harms_nobody(pool, order):
    (outcome,) = pool.run([order("print")])
    assert outcome.refusal is None


def test_a_file_that_suffers_from_its_neighbours_is_tried_in_a_fresh_child(pool, order):
    # Each keeps 100 MB for ever: the third or fourth would not fit.
    outcomes = list(pool.run([order(f"keep 100000000 {i}".rsplit(" ", 1)[0]) for i in range(6)]))
    assert [outcome.refusal for outcome in outcomes] == [None] * 6


def test_a_file_that_hangs_only_beside_others_is_decoded_alone(order):
    with DecoderPool(PROBE, limits=Limits(wall_seconds=6)) as impatient:
        _, second = impatient.run([order("keep 10"), order("hang_once")])
    assert second.report["fresh"]


def test_a_result_that_is_no_report_is_refused(order):
    with DecoderPool("tests.toolkit.sandbox.probe:not_a_task", limits=SMALL) as pool:
        (outcome,) = pool.run([order("echo")])
    assert outcome.refusal.code == "decoder_output"


def test_a_file_that_cannot_be_opened_is_reported(pool, order, tmp_path):
    items = [("gone", tmp_path / "gone"), ("folder", tmp_path), order("echo on")]
    gone, folder, fine = pool.run(items)
    assert gone.refusal.code == folder.refusal.code == "input_unreadable"
    assert "No such file" in gone.refusal.message
    assert "regular file" in folder.refusal.message
    assert fine.refusal is None


def test_each_file_gets_the_processor_time_of_its_size_and_kind(order):
    def seconds(head, size):
        return 30 if head.startswith(b"echo") else 1 if size < 1000 else 2

    items = [order(text) for text in ("echo a", "spin", "echo b", "spin " + 1000 * "x", "echo c")]
    with DecoderPool(PROBE, limits=Limits(cpu_seconds=10), seconds=seconds) as pool:
        outcomes = list(pool.run(items))
    refused = {outcome.key[: 4 + (len(outcome.key) > 1000)]: outcome.refusal for outcome in outcomes if outcome.refusal}
    assert {key: refusal.code for key, refusal in refused.items()} == {
        "spin": "decoder_timeout",
        "spin ": "decoder_timeout",
    }
    assert "the 1 seconds of processor time" in refused["spin"].message
    assert "the 2 seconds of processor time" in refused["spin "].message
