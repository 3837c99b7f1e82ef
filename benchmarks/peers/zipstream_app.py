"""Files of a folder as a stored ZIP by zipstream-ng: `zipstream_app.py FOLDER PORT`, run by a Python that has it.

A megabyte at a time is gathered in a thread, which is the best that was found for it.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from zipstream import ZipStream

folder, port = Path(sys.argv[1]), int(sys.argv[2])
names = sorted(path.name for path in folder.iterdir())


def gathered(chunks):
    """A megabyte of what comes next; nothing at the end."""
    found, size = [], 0
    for chunk in chunks:
        found.append(bytes(chunk))
        size += len(chunk)
        if size >= 1 << 20:
            break
    return b"".join(found)


async def app(scope, receive, send):
    """Every request gets the whole ZIP."""
    if scope["type"] != "http":
        return
    archive = ZipStream(sized=True)
    for name in names:
        archive.add_path(folder / name, f"images/{name}")
    headers = [(b"content-type", b"application/zip"), (b"content-length", b"%d" % len(archive))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    chunks, loop = iter(archive), asyncio.get_running_loop()
    while part := await loop.run_in_executor(None, gathered, chunks):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")
