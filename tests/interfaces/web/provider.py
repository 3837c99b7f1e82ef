"""A stand-in for an OpenID Connect provider, in a process of its own: discovery, keys, codes with PKCE, signed tokens.

Who logs in there is whoever was last posted to `/person` as JSON: `{"userinfo": {…}, "id_token": {…}}`. It asks
nobody for a password. Prints its address and serves until it is ended.
"""

import base64
import hashlib
import http.server
import json
import secrets
import sys
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "medtheca", "a secret between two processes"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STATE = {"person": {}, "codes": {}, "tokens": {}, "asked": []}


class Provider(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "userinfo_endpoint": f"{self.issuer}/userinfo",
                    "jwks_uri": f"{self.issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif parts.path == "/keys":
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            self.answer({"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]})
        elif parts.path == "/authorize":
            self.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
        elif parts.path == "/userinfo":
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            known = STATE["tokens"].get(token)
            self.answer(known["userinfo"] if known else {}, 200 if known else 401)
        elif parts.path == "/asked":
            self.answer(STATE["asked"])
        else:
            self.answer({}, 404)

    def authorize(self, asked):
        STATE["asked"].append(asked)
        code = secrets.token_urlsafe(16)
        STATE["codes"][code] = (asked, STATE["person"])
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/person":
            STATE["person"] = json.loads(body)
            self.answer({})
            return
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked, person = STATE["codes"].pop(given.get("code", ""), (None, None))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        right = (
            asked is not None
            and (given.get("client_id"), given.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            and asked.get("code_challenge_method") == "S256"
            and asked.get("code_challenge") == challenge.rstrip(b"=").decode()
            and asked["redirect_uri"] == given.get("redirect_uri")
        )
        if not right:
            self.answer({"error": "invalid_grant"}, 400)
            return
        access = secrets.token_urlsafe(16)
        STATE["tokens"][access] = person
        moment = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + 300, **person["id_token"]}
        token = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "1"})
        self.answer({"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token})


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
