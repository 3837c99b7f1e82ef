"""wrk, a load generator in C: random ones of a list of addresses, over a few connections that are kept open.

Debian has it: `apt install wrk`.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local paths = {}
for line in io.lines(%s) do paths[#paths + 1] = line end
local number = 0
function setup(thread) thread:set("number", number); number = number + 1 end
function init(arguments) math.randomseed(4711 + (number or 0)) end
function request() return wrk.format("GET", paths[math.random(#paths)]) end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("FOUND %%f %%d %%f %%f\\n", summary.requests / (summary.duration / 1e6),
    errors.status + errors.timeout + errors.read + errors.write + errors.connect,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """Answers a second, and how long they took, in milliseconds."""

    rate: float
    p50: float
    p95: float


def missing() -> str:
    """Why there is no load, in words; empty where there is."""
    return "" if shutil.which("wrk") else "wrk (a package of Debian) not installed"


def ask(port: int, paths: list[str], *, connections: int, seconds: int, headers: dict[str, str]) -> Load:
    """Ask for so many seconds. RuntimeError where any answer is a refusal or none: it would be no figure."""
    with tempfile.TemporaryDirectory() as name:
        listed, script = Path(name) / "paths", Path(name) / "script.lua"
        listed.write_text("\n".join(paths) + "\n")
        script.write_text(_SCRIPT % json.dumps(str(listed)))
        words = ["wrk", "-t", str(min(connections, 2)), "-c", str(connections), "-d", f"{seconds}s"]
        words += [part for key, value in headers.items() for part in ("-H", f"{key}: {value}")]
        done = subprocess.run(
            [*words, "--timeout", "20s", "-s", str(script), f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
        )
    found = re.search(r"FOUND (\S+) (\d+) (\S+) (\S+)", done.stdout)
    if found is None or int(found[2]):
        raise RuntimeError(f"wrk met refusals: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return Load(float(found[1]), float(found[3]), float(found[4]))
