// Logs in and refreshes as openid-client 6 does it: discovery, PKCE, state, nonce, the ID token checked, userinfo.
// Called with the issuer; prints what it got as one line of JSON.
import * as client from 'openid-client'

const [issuer] = process.argv.slice(2)
const redirectUri = 'http://127.0.0.1:9/callback'

// The walk of a browser through a login that needs no typing: cookies are kept, redirects followed.
async function browse(url) {
  const cookies = new Map()
  for (let hop = 0; hop < 10; hop++) {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=')
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (!location) throw new Error(`${answer.status} at ${url}: ${(await answer.text()).slice(0, 300)}`)
    url = new URL(location, url)
    if (url.href.startsWith(redirectUri)) return url
  }
  throw new Error('too many redirects')
}

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
const tokens = await client.authorizationCodeGrant(config, await browse(url), {
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
