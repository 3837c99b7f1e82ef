"""`medtheca up --tls` as programs meet it: the lines of `medtheca tls` as printed, and both planes by TLS 1.2."""

import hashlib
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.environments import give_up


@pytest.fixture(scope="module")
def told(tls_archive):
    """What `medtheca tls` prints."""
    return tls_archive.command("tls")


def shell(line, **variables):
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "HOME") if name in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", line], env=kept | {"PATH": path, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lines_after(told, title):
    """The indented lines below a title."""
    found = re.search(rf"^{re.escape(title)}.*?:\n\n((?:  .*\n)+)", told, re.MULTILINE)
    return found[1]


def test_the_line_for_curl_works_as_it_is_printed(told):
    if not shutil.which("curl"):
        give_up("There is no curl on the PATH.")
    assert "lowest_supported_version" in shell(
        lines_after(told, "curl").replace("curl ", "curl --silent --show-error ")
    )


def test_the_line_for_requests_works_as_it_is_printed(told):
    assert "lowest_supported_version" in shell(lines_after(told, "Python, with requests"))


def test_the_lines_for_a_whole_shell_work_as_they_are_printed(told, tmp_path):
    lines = f"cd {tmp_path}\n" + lines_after(told, "All Python programs of a shell")
    ask = re.search(r"python -c .*", lines_after(told, "Python, with requests"))[0]
    assert "lowest_supported_version" in shell(f"{lines}\n{ask}")


def test_the_lines_for_gcapi_work_as_they_are_printed(told, tls_archive, gcapi_of):
    alice = gcapi_of("alice")
    lines = lines_after(told, "Python, with gcapi").replace("mt_…", alice.token).replace("archives", "uploads")
    assert shell(lines.replace("python -c", f"{alice.process.args[0]} -c")) == "[]\n"


def test_the_authority_that_is_printed_is_the_one_that_signs(tls_archive):
    said = json.loads(tls_archive.command("tls", "--json"))
    der = ssl.PEM_cert_to_DER_cert(tls_archive.command("tls", "--pem"))
    assert said["authority"]["sha256"].replace(":", "") == hashlib.sha256(der).hexdigest().upper()
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", tls_archive.port)))
    assert said["server"]["sha256"].replace(":", "") == hashlib.sha256(shown).hexdigest().upper()


@pytest.fixture
def connection(tls_archive):
    context = ssl.create_default_context(cafile=tls_archive.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    made = http.client.HTTPSConnection("localhost", tls_archive.port, context=context, timeout=60)
    yield made
    made.close()


def ask(connection, method, path, body=None, **headers):
    connection.request(
        method, path, body=body, headers={name.replace("_", "-"): said for name, said in headers.items()}
    )
    answer = connection.getresponse()
    return answer, answer.read()


def test_both_planes_answer_one_connection(tls_archive, connection):
    token = f"BEARER {tls_archive.token('carol')}"
    always = {"Authorization": token, "Content_Type": "application/json"}
    _, page = ask(connection, "GET", "/")
    assert b"<html" in page
    answer, body = ask(connection, "POST", "/api/v1/uploads/", b'{"filename": "large.bin"}', **always)
    begun = json.loads(body)
    assert answer.status == 201
    assert begun["api_url"].startswith(f"{tls_archive.url}/api/v1/uploads/")
    base = f"/api/v1/uploads/{begun['pk']}/{begun['s3_upload_id']}"
    _, body = ask(connection, "PATCH", f"{base}/generate-presigned-urls/", b'{"part_numbers": [1]}', **always)
    address = json.loads(body)["presigned_urls"]["1"].removeprefix(tls_archive.url)
    data = os.urandom(40 << 20)
    answer, _ = ask(connection, "PUT", address, data)
    assert answer.headers["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    told = json.dumps({"parts": [{"PartNumber": 1, "ETag": answer.headers["ETag"]}]}).encode()
    answer, _ = ask(connection, "PATCH", f"{base}/complete-multipart-upload/", told, **always)
    assert answer.status == 200
    assert (tls_archive.data / "uploads" / f"{begun['pk']}.part").read_bytes() == data


def test_cookies_leave_by_https_only_and_nothing_is_promised_for_localhost(connection):
    answer, _ = ask(connection, "GET", "/accounts/login/")
    assert "secure" in answer.headers["Set-Cookie"].lower()
    assert "Strict-Transport-Security" not in answer.headers
