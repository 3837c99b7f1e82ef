"""ZIP archives, read without trusting them: never extracted by name, streamed, every byte counted.

`scan` judges the directory and raises Refused for an archive that is bad as a whole; what is wrong with one
member is a verdict on that member, and the others go on. `open_member` gives the bytes of one file.

| kind | problem codes | what its owner reads |
|---|---|---|
| file | | taken in |
| directory | directory | skipped |
| junk | empty_file, system_file, macos_metadata, hidden_file, temporary_file | skipped |
| symlink, device | symlink, device | refused |
| unsafe | unsafe_path, unsafe_name, name_too_long, name_missing, path_too_long | refused |
| unsafe | directory_with_content | refused |
| encrypted | encrypted | refused |
| unsupported | unsupported_compression | refused |
| nested_archive | nested_archive (by name here, by first bytes on opening) | refused |
| too_large | member_too_large, ratio_too_high | refused |

Stored, Deflate, bzip2 and LZMA are inflated. Limits and their defaults: `Limits`.
"""

from medtheca.toolkit.unpack.limits import DEFAULT_LIMITS, Limits
from medtheca.toolkit.unpack.members import Kind, Listing, Member
from medtheca.toolkit.unpack.opening import CHUNK_BYTES, open_member
from medtheca.toolkit.unpack.scanning import scan

__all__ = ["CHUNK_BYTES", "DEFAULT_LIMITS", "Kind", "Limits", "Listing", "Member", "open_member", "scan"]
