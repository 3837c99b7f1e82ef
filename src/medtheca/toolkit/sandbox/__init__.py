"""The decoder pool: files from strangers are decoded in children that can do nothing but compute.

A fork server (`server`) imports the decoders and forks a child for each upload; the child locks itself down
(`fence`: resource limits, Landlock, seccomp) and only then is sent files, as open descriptors. It answers with JSON
and named bytes. A file that kills its child, or takes too long or too much, is tried once more alone and then
refused with a reason; the rest of the upload goes on in a fresh child.

A *case* is an image that this does not fit: several files, a library that opens paths, a result too large for memory.
It gets a child of its own (`DecoderPool.run_case`) whose working directory is the case's folder; that folder can be
read, nothing beside it, and nothing be changed but the outputs, which the owner has opened. Two more limits hold: how
large the outputs may grow, and memory of its own apart from files that it maps. See decision 12.

*Renderings* for answers come from children that stay for a while, each for one source; see decision 16. `studio` is
imported by itself, as a fork server has no use for an event loop.

Landlock and seccomp are spoken to through ctypes: the PyPI packages are a development release (`landlock`) and a
binding that needs a library on the system (`pyseccomp`).
"""

from .detect import detect_level
from .pool import DecoderPool
from .values import CaseLimits, CaseOutcome, Level, Limits, Outcome, Refusal, SandboxUnavailable

__all__ = [
    "CaseLimits",
    "CaseOutcome",
    "DecoderPool",
    "Level",
    "Limits",
    "Outcome",
    "Refusal",
    "SandboxUnavailable",
    "detect_level",
]
