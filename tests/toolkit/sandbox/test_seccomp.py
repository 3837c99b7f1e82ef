"""The filters for both machines, run by a small interpreter: one of them is not the machine of this test."""

import struct

import pytest

from medtheca.toolkit.sandbox.seccomp import _ARCHITECTURES, build_filter

ALLOW, DENY, NOT_KNOWN, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
COLUMN = {"x86_64": 0, "aarch64": 1}
O_DIRECTORY = {"x86_64": 0o200000, "aarch64": 0o40000}
O_DIRECT = {"x86_64": 0o40000, "aarch64": 0o200000}
OPENAT = {"x86_64": 257, "aarch64": 56}
MMAP = {"x86_64": 9, "aarch64": 222}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
PWRITE = {"x86_64": 18, "aarch64": 68}
EXECVE = {"x86_64": 59, "aarch64": 221}
SOCKET = {"x86_64": 41, "aarch64": 198}
READ = {"x86_64": 0, "aarch64": 63}
MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def judge(program, audit_name, number, *arguments):
    """What the kernel would do: linux/filter.h, for the instructions that are used."""
    data = struct.pack("=IIQ6Q", number, audit_name, 0, *arguments, *[0] * (6 - len(arguments)))
    place = value = 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("=HBBI", program, 8 * place)
        place += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                value &= operand
            case 0x15:
                place += if_true if value == operand else if_false
            case 0x35:
                place += if_true if value >= operand else if_false
            case 0x45:
                place += if_true if value & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"instruction {code:#x}")


def asker(machine, **choices):
    program, audit_name = build_filter(machine, **choices), _ARCHITECTURES[machine][1]
    return lambda number, *arguments: judge(program, audit_name, number, *arguments)


@MACHINES
def test_a_decoder_of_photographs_opens_nothing(machine):
    ask = asker(machine)
    assert ask(READ[machine]) == ALLOW
    for number in (OPENAT, PWRITE, EXECVE, SOCKET, CLONE):
        assert ask(number[machine], 0, 0, 0) == DENY
    assert ask(CLONE3) == DENY
    assert ask(MMAP[machine], 0, 4096, 3, 0x21) == ALLOW
    assert ask(MMAP[machine], 0, 4096, 5, 0x22) == DENY


@MACHINES
def test_a_decoder_of_cases_opens_for_reading(machine):
    ask = asker(machine, opens_files=True)
    for flags in (0, 0o2000000, 0o2004000 | O_DIRECTORY[machine], 1 << 32):
        assert ask(OPENAT[machine], 0, 0, flags) == ALLOW
    for flags in (1, 2, 3, 0o100, 0o1000, 0o2000, 0o10000000, 0o20000000 | O_DIRECTORY[machine], O_DIRECT[machine]):
        assert ask(OPENAT[machine], 0, 0, flags) == DENY
        assert ask(OPENAT[machine], 0, 0, flags | 1 << 32) == DENY
    assert ask(PWRITE[machine]) == ALLOW
    for number in (EXECVE, SOCKET, CLONE):
        assert ask(number[machine], 0, 0, 0) == DENY
    assert ask(MMAP[machine], 0, 4096, 3, 0x22) == ask(MMAP[machine], 0, 4096, 1, 0x01) == ALLOW
    for flags in (0x21, 0x23, 0x1021):
        assert ask(MMAP[machine], 0, 4096, 3, flags) == DENY
    assert ask(MMAP[machine], 0, 4096, 5, 0x02) == DENY


@MACHINES
def test_where_threads_are_allowed_only_threads_are(machine):
    ask = asker(machine, opens_files=True, threads=True)
    assert ask(CLONE[machine], 0x3D0F00) == ALLOW
    for flags in (17, 0x3D0F00 | 0x10000000, 0x3C0F00, 0):
        assert ask(CLONE[machine], flags) == DENY
    assert ask(CLONE3) == NOT_KNOWN
    assert ask(EXECVE[machine]) == DENY


@MACHINES
@pytest.mark.parametrize("choices", [{}, {"opens_files": True}, {"opens_files": True, "threads": True}])
def test_calls_of_another_machine_end_the_process(machine, choices):
    program = build_filter(machine, **choices)
    assert judge(program, 0x40000003, READ[machine]) == KILL  # 32-bit x86
    assert judge(program, _ARCHITECTURES[machine][1], 0x40000000 | READ[machine]) == DENY  # x32
    assert len(program) // 8 < 4096
