"""A mail server of one file: takes mail over a real socket, refuses or hangs up as told."""

import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages = []
        self.connections = 0
        self.refuse_recipients = 0  # An SMTP code such as 550, or 0.
        self.refuse_data = 0

    @property
    def port(self):
        return self.server_address[1]


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections += 1
        self._say(220, "mail.test here")
        recipients = []
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"RCPT":
                code = self.server.refuse_recipients or 250
                recipients.append(line.decode().split(":", 1)[1].strip(" <>\r\n"))
                self._say(code, "no such person" if code != 250 else "fine")
            elif verb == b"DATA":
                if self.server.refuse_data:
                    self._say(self.server.refuse_data, "not now")
                    continue
                self._say(354, "go on")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part[1:] if part.startswith(b"..") else part)
                message = message_from_bytes(b"".join(lines), policy=default)
                self.server.messages.append((recipients, message))
                recipients = []
                self._say(250, "taken")
            elif verb == b"QUIT":
                self._say(221, "goodbye")
                return
            else:
                self._say(250, "fine")

    def _say(self, code, words):
        self.wfile.write(f"{code} {words}\r\n".encode())


@contextmanager
def mail_server(settings):
    """A running server that Django's settings point to."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
