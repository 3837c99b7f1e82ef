"""Both planes behind one port."""

import json
import socket

import psycopg

from tests.interfaces.bytes.cases import until
from tests.plugins.server import LiveServer


def raw(server, data, *, timeout=10):
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_health_says_that_the_database_answers(server):
    answer = server.request("GET", "/healthz")
    assert answer.status == 200
    assert json.loads(answer.content)["status"] == "ok"


def test_pages_come_from_django(server):
    answer = server.request("GET", "/accounts/login/")
    assert answer.status == 200
    assert b"<form" in answer.content
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_request_as_a_proxy_client_sends_it_works(server):
    for path, word in (("/healthz", b'"ok"'), ("/accounts/login/", b"<form")):
        target = f"{server.url}{path}".encode()
        host = f"127.0.0.1:{server.port}".encode()
        answer = raw(server, b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        assert word in answer


def test_a_strange_query_is_no_failure(server):
    host = f"127.0.0.1:{server.port}".encode()
    answer = raw(server, b"GET /nowhere?q=\xff\xfe HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ")[1] in {b"400", b"404"}, answer[:200]


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server):
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12000001\r\nConnection: close\r\n\r\n"
    answer = raw(server, head)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert b"application/problem+json" in answer
    page = raw(server, head[:-2] + b"Accept: text/html\r\n\r\n")
    assert page.startswith(b"HTTP/1.1 413")
    assert b"That is too large" in page


def test_a_body_without_a_length_is_refused(server):
    answer = raw(
        server,
        b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\na=b\r\n0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 411"), answer[:200]


def test_clients_that_send_slowly_do_not_hold_up_pages(server):
    waiting = []
    try:
        for _ in range(24):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\na=")
            waiting.append(connection)
        assert server.request("GET", "/accounts/login/").status == 200
    finally:
        for connection in waiting:
            connection.close()


def test_a_form_that_breaks_off_is_never_answered_as_if_it_were_whole(server):
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nlogin=a"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(60)
        assert not connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_files_outlive_a_database_that_was_restarted(server):
    wrong = {"Authorization": "Bearer mt_" + "x" * 43}
    for headers, status in (({}, 404), (wrong, 401)):
        with psycopg.connect(server.database_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        answer = server.request("GET", "/files/images/ISIC_0000001/full.jpg", headers=headers)
        assert answer.status == status
        until(server.is_healthy)


def test_it_stops_in_order_and_leaves_no_connection(server):
    other = LiveServer(server.database_url)
    try:
        other.start()
        assert other.request("GET", "/accounts/login/").status == 200
        assert other.stop() == 0, other.log()
        assert "Traceback" not in other.log()
    finally:
        other.close()
    with psycopg.connect(server.database_url, autocommit=True) as admin:

        def ears():
            listening = "application_name = 'medtheca listen' AND datname = current_database()"
            return admin.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {listening}").fetchone()[0]

        until(lambda: ears() == 1)


def test_headers_with_an_underscore_do_not_pass_for_a_proxys(server):
    # With the header believed the host would be another, which Django refuses with 400.
    answer = server.request("GET", "/accounts/login/", headers={"X_Forwarded_Host": "evil.example", "X_Host": "a"})
    assert answer.status == 200


def test_static_files_are_served_with_a_tag_and_packed(server):
    plain = server.request("GET", "/static/dist/site.css")
    assert plain.status == 200
    assert plain.headers["Content-Type"] == "text/css; charset=utf-8"
    assert plain.headers["Cache-Control"] == "public, no-cache"
    packed = server.request("GET", "/static/dist/site.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content)
    again = server.request("GET", "/static/dist/site.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")
    version = plain.headers["ETag"].strip('"')
    for_ever = server.request("GET", f"/static/dist/site.css?v={version}")
    assert "immutable" in for_ever.headers["Cache-Control"]


def test_static_files_do_not_lead_out_of_their_folders(server):
    for path in ("/static/../settings.py", "/static/%2e%2e/config/settings.py", "/static//etc/passwd", "/static/.x"):
        assert server.request("GET", path).status == 404, path
