// One flow with openid-client: prints the address to open, reads the address that was come back to, prints what it found.
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const [issuer, clientId, secret, redirectUri] = process.argv.slice(2);
const config = await client.discovery(
  new URL(issuer),
  clientId,
  secret || undefined,
  secret ? client.ClientSecretPost(secret) : client.None(),
  { execute: [client.allowInsecureRequests] },
);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid profile email identity",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
console.log(address.href);

const back = new URL(await createInterface({ input: process.stdin }).question(""));
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };

const elsewhere = new URL(back);
elsewhere.searchParams.set("iss", "https://evil.example");
let mixUp = "taken";
try {
  await client.authorizationCodeGrant(config, elsewhere, checks);
} catch {
  mixUp = "refused";
}

const tokens = await client.authorizationCodeGrant(config, back, checks);
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const newer = await client.refreshTokenGrant(config, tokens.refresh_token);
const rotated = newer.refresh_token !== tokens.refresh_token;
await client.tokenRevocation(config, newer.refresh_token);
const after = await fetch(config.serverMetadata().userinfo_endpoint, {
  headers: { authorization: `Bearer ${newer.access_token}` },
});
console.log(JSON.stringify({ claims, userinfo, rotated, afterRevocation: after.status, mixUp }));
process.exit(0);
