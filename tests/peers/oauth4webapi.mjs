// Every request that oauth4webapi makes of a provider, each answer checked as the library does it: discovery, a login with
// PKCE and `iss`, refresh, userinfo, introspection, revocation, client credentials, and a device of the public client `cli`.
// Called with the issuer; prints what it got as one line of JSON.
import * as oauth from 'oauth4webapi'
import { Browser } from './browser.mjs'

const issuer = new URL(process.argv[2])
const redirectUri = 'http://127.0.0.1:9/callback'
const http = { [oauth.allowInsecureRequests]: true }

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
const app = { client_id: 'app' }
const secret = oauth.ClientSecretBasic('app-secret')

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const url = new URL(as.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: app.client_id,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid profile email groups offline_access',
  connector_id: 'mock',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
const arrived = await new Browser(redirectUri).arrive(url)
const answer = oauth.validateAuthResponse(as, app, arrived, state)
const redeemed = await oauth.authorizationCodeGrantRequest(as, app, secret, answer, redirectUri, verifier, http)
const tokens = await oauth.processAuthorizationCodeResponse(as, app, redeemed, {
  expectedNonce: nonce,
  requireIdToken: true,
})
await oauth.validateApplicationLevelSignature(as, redeemed, http)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const otherIssuer = { ...as, issuer: 'https://other.example' }
let mixedUp
try {
  oauth.validateAuthResponse(otherIssuer, app, arrived, state)
} catch (error) {
  mixedUp = error.message
}

const refreshedAnswer = await oauth.refreshTokenGrantRequest(as, app, secret, tokens.refresh_token, http)
const refreshed = await oauth.processRefreshTokenResponse(as, app, refreshedAnswer)
await oauth.validateApplicationLevelSignature(as, refreshedAnswer, http)
const userinfo = await oauth.processUserInfoResponse(
  as,
  app,
  claims.sub,
  await oauth.userInfoRequest(as, app, refreshed.access_token, http),
)

const introspected = async () =>
  await oauth.processIntrospectionResponse(
    as,
    app,
    await oauth.introspectionRequest(as, app, secret, refreshed.refresh_token, http),
  )
const before = await introspected()
await oauth.processRevocationResponse(await oauth.revocationRequest(as, app, secret, refreshed.refresh_token, http))
const after = await introspected()

const granted = await oauth.processClientCredentialsResponse(
  as,
  app,
  await oauth.clientCredentialsGrantRequest(as, app, oauth.ClientSecretPost('app-secret'), { scope: 'profile' }, http),
)

const cli = { client_id: 'cli' }
const device = await oauth.processDeviceAuthorizationResponse(
  as,
  cli,
  await oauth.deviceAuthorizationRequest(as, cli, oauth.None(), { scope: 'openid email' }, http),
)
const poll = async () =>
  await oauth.processDeviceCodeResponse(
    as,
    cli,
    await oauth.deviceCodeGrantRequest(as, cli, oauth.None(), device.device_code, http),
  )
const pending = await poll().catch((error) => error)
const person = new Browser()
const choice = await person.submit(await person.visit(device.verification_uri_complete))
await person.submit(await person.follow(choice, '/auth/mock'))
const onDevice = await poll()

console.log(
  JSON.stringify({
    name: claims.name,
    mixedUp,
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    email: userinfo.email,
    before: [before.active, before.client_id, before.token_use],
    after,
    granted: Object.keys(granted).sort(),
    pending: [pending.status, pending.error],
    onDevice: oauth.getValidatedIdTokenClaims(onDevice).email,
  }),
)
