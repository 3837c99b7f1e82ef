"""Independent clients come to tokens and use them: authlib, requests-oauthlib and openid-client.

None of them shares code with the server, but requests-oauthlib, whose oauthlib is written for both sides.
"""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests_oauthlib import OAuth2Session

from tests.contract.environments import give_up

BACK = "https://app.example.org/back"
OPENID_CLIENT = "6.8.9"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def alice(visitor):
    return visitor("alice")


@pytest.fixture(scope="module")
def found(archive):
    """What discovery says."""
    return requests.get(f"{archive.url}/oauth/.well-known/openid-configuration", timeout=30).json()


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch):
    # requests-oauthlib asks for https, which an archive on this machine does not have.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def parameters(address):
    return dict(parse_qsl(urlsplit(address).query))


@pytest.mark.parametrize("kind", ["web", "public"])
def test_authlib_comes_to_tokens_and_knows_who_it_is(alice, found, kind):
    client_id, secret = alice.register(f"authlib {kind}", kind, BACK)
    client = AuthlibSession(
        client_id,
        secret,
        scope="openid profile email image:read",
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    address, state = client.create_authorization_url(
        found["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    answer = alice.allow(address)
    assert parameters(answer)["iss"] == found["issuer"]
    token = client.fetch_token(
        found["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )
    keys = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=30).json())
    signed = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    claims = CodeIDToken(
        signed.claims,
        signed.header,
        {"iss": {"essential": True, "value": found["issuer"]}, "aud": {"essential": True, "value": client_id}},
        {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    assert claims["email"] == alice.email
    me = client.get(found["userinfo_endpoint"]).json()
    assert (me["sub"], me["name"]) == (claims["sub"], "Alice Example")
    assert client.get(f"{alice.url}/api/v2/images/").status_code == 200
    before = token["refresh_token"]
    newer = client.refresh_token(found["token_endpoint"])
    assert newer["refresh_token"] != before
    assert client.get(found["userinfo_endpoint"]).status_code == 200
    if secret:
        told = client.introspect_token(found["introspection_endpoint"], token=newer["access_token"]).json()
        assert (told["active"], told["client_id"]) == (True, client_id)
    assert client.revoke_token(found["revocation_endpoint"], token=newer["refresh_token"]).status_code == 200
    after = requests.get(
        found["userinfo_endpoint"], headers={"Authorization": f"Bearer {newer['access_token']}"}, timeout=30
    )
    assert after.status_code == 401


def test_authlib_acts_for_itself(alice, found):
    client_id, secret = alice.register("authlib itself", "service")
    client = AuthlibSession(client_id, secret, scope="image:read")
    token = client.fetch_token(found["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == "image:read"
    assert client.get(f"{alice.url}/api/v2/images/").json()["count"] == 0
    assert client.get(f"{alice.url}/api/v2/users/me/").status_code == 403


@pytest.mark.parametrize("kind", ["web", "public"])
def test_requests_oauthlib_comes_to_tokens(alice, found, kind):
    client_id, secret = alice.register(f"requests {kind}", kind, BACK)
    client = OAuth2Session(client_id, redirect_uri=BACK, scope=["identity", "image:read"], pkce="S256")
    address, state = client.authorization_url(found["authorization_endpoint"])
    answer = alice.allow(address)
    assert parameters(answer)["state"] == state
    token = client.fetch_token(
        found["token_endpoint"], authorization_response=answer, client_secret=secret, include_client_id=True
    )
    assert client.get(f"{alice.url}/api/v2/users/me/").json()["email"] == alice.email
    more = {"client_id": client_id} | ({"client_secret": secret} if secret else {})
    newer = client.refresh_token(found["token_endpoint"], refresh_token=token["refresh_token"], **more)
    assert newer["refresh_token"] != token["refresh_token"]
    assert client.get(f"{alice.url}/api/v2/users/me/").status_code == 200
    with pytest.raises(InvalidGrantError):
        client.fetch_token(
            found["token_endpoint"], authorization_response=answer, client_secret=secret, include_client_id=True
        )
    assert client.get(f"{alice.url}/api/v2/users/me/").status_code == 401, "the code came twice"


def at_once(number, ask):
    """The answers to the same request, sent by so many at the same moment."""
    gate = threading.Barrier(number)

    def send(_):
        gate.wait()
        return ask()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(send, range(number)))


def test_of_those_who_come_at_once_with_a_code_one_gets_tokens_and_loses_them(alice, found):
    client_id, _ = alice.register("at once", "public", BACK)
    client = OAuth2Session(client_id, redirect_uri=BACK, scope=["identity"], pkce="S256")
    address, _ = client.authorization_url(found["authorization_endpoint"])
    form = {
        "grant_type": "authorization_code",
        "code": parameters(alice.allow(address))["code"],
        "redirect_uri": BACK,
        "client_id": client_id,
        "code_verifier": client._code_verifier,
    }
    answers = at_once(4, lambda: requests.post(found["token_endpoint"], form, timeout=60))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    token = next(answer.json() for answer in answers if answer.ok)
    me = requests.get(
        f"{alice.url}/api/v2/users/me/", headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30
    )
    assert me.status_code == 401


def test_those_who_refresh_at_once_all_go_on(alice, found):
    """Two processes of one program share a stored token, as those of isic-cli do."""
    client_id, _ = alice.register("both at once", "public", BACK)
    client = OAuth2Session(client_id, redirect_uri=BACK, scope=["identity"], pkce="S256")
    address, _ = client.authorization_url(found["authorization_endpoint"])
    token = client.fetch_token(
        found["token_endpoint"], authorization_response=alice.allow(address), include_client_id=True
    )
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], "client_id": client_id}
    answers = at_once(4, lambda: requests.post(found["token_endpoint"], form, timeout=60))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["refresh_token"] for answer in answers}) == 4
    for answer in answers:
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert requests.get(f"{alice.url}/api/v2/users/me/", headers=headers, timeout=30).status_code == 200


@pytest.fixture(scope="module")
def openid_client():
    """A folder with openid-client, made when it is first asked for."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        give_up("openid-client needs Node and npm.")
    folder = Path(tempfile.gettempdir()) / f"medtheca-contract-{os.getuid()}" / f"openid-client-{OPENID_CLIENT}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "ready").exists():
        (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"openid-client@{OPENID_CLIENT}"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            give_up(f"No openid-client: {(done.stderr.strip().splitlines() or ['npm failed'])[-1]}")
        (folder / "ready").touch()
    # Node looks for packages from where the script lies.
    shutil.copy(HERE / "openid_client.mjs", folder / "flow.mjs")
    return folder


@pytest.mark.parametrize("kind", ["web", "public"])
def test_openid_client_finds_its_way_by_discovery(alice, archive, openid_client, kind):
    client_id, secret = alice.register(f"openid-client {kind}", kind, BACK)
    process = subprocess.Popen(
        ["node", "flow.mjs", f"{archive.url}/oauth", client_id, secret or "", BACK],
        cwd=openid_client,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        rest, complaints = process.communicate(alice.allow(address) + "\n", timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, complaints
    told = json.loads(rest)
    assert told["claims"]["iss"] == f"{archive.url}/oauth"
    assert told["userinfo"]["email"] == alice.email
    assert told["rotated"] is True
    assert told["afterRevocation"] == 401
    assert told["mixUp"] == "refused", "the client sees who answered"
