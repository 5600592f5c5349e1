// Logs in and refreshes as openid-client 6 does it: discovery, PKCE, state, nonce, the ID token checked, userinfo.
// Called with the issuer; prints what it got as one line of JSON.
import * as client from 'openid-client'
import { Browser } from './browser.mjs'

const [issuer] = process.argv.slice(2)
const redirectUri = 'http://127.0.0.1:9/callback'

const config = await client.discovery(new URL(issuer), 'app', 'app-secret', undefined, {
  execute: [client.allowInsecureRequests],
})
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'openid profile email groups offline_access',
  connector_id: 'mock',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
const tokens = await client.authorizationCodeGrant(config, await new Browser(redirectUri).arrive(url), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const userinfo = await client.fetchUserInfo(config, refreshed.access_token, claims.sub)
console.log(
  JSON.stringify({
    name: claims.name,
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    refreshedSub: refreshed.claims().sub === claims.sub,
    email: userinfo.email,
  }),
)
