"""The decoder pool: files from strangers are decoded in children that can do nothing but compute.

A fork server (`server`) imports the decoders and forks a child for each upload; the child locks itself down
(`fence`: resource limits, Landlock, seccomp) and only then is sent files, as open descriptors. It answers with JSON
and named bytes. A file that kills its child, or takes too long or too much, is tried once more alone and then
refused with a reason; the rest of the upload goes on in a fresh child.

Landlock and seccomp are spoken to through ctypes: the PyPI packages are a development release (`landlock`) and a
binding that needs a library on the system (`pyseccomp`).
"""

from .detect import detect_level
from .pool import DecoderPool
from .values import Level, Limits, Outcome, Refusal, SandboxUnavailable

__all__ = ["DecoderPool", "Level", "Limits", "Outcome", "Refusal", "SandboxUnavailable", "detect_level"]
