"""`medtheca up` with small programs in the place of its own: run as a program, `stand_in.py up`."""

import http.server
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(os.environ["MEDTHECA_DATA"])


def note(text):
    with (DATA / "history").open("a") as file:
        file.write(f"{text}\n")


def ends_on_signal(name):
    def end(number, frame):
        note(f"{name} stops")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def up():
    from medtheca.config.command_line import exit_code
    from medtheca.config.environment import environment
    from medtheca.config.processes.errors import CannotRun
    from medtheca.config.processes.up import Up

    settings = environment()
    program = Up(settings, demo=settings.demo, program=lambda name: [sys.executable, __file__, name])
    try:
        program.run()
    except CannotRun as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(exit_code(refusal))


def migrate():
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("create table if not exists kept (number int)")


def web():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["MEDTHECA_PORT"])), Handler)
    ends_on_signal("web")
    server.serve_forever()


def worker():
    behaviour = (DATA / "worker").read_text() if (DATA / "worker").exists() else ""
    if behaviour == "fails":
        sys.exit("the worker has no hands")
    if behaviour == "leaves a child":
        subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    ends_on_signal("worker")
    if behaviour == "is deaf":
        signal.signal(signal.SIGTERM, lambda *_: note("worker hears nothing"))
    note(f"worker {os.getpid()}")
    while True:
        time.sleep(600)


def erase():
    assert sys.argv[2:] == ["pending"], sys.argv
    note("erased again")
    if (DATA / "erase").exists():
        sys.exit("who is to be erased cannot be found")


def demo():
    print("1 of 2 pictures", flush=True)
    (DATA / "demo").mkdir()
    (DATA / "demo" / "logins.json").write_text('[{"email": "ada@example.org", "password": "a b c", "role": "staff"}]')
    print("2 of 2 pictures", flush=True)


if __name__ == "__main__":
    {"up": up, "migrate": migrate, "web": web, "worker": worker, "demo": demo, "erase": erase}[sys.argv[1]]()
