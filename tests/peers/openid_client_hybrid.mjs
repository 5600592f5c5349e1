// Logs in as openid-client 6 does it where the authorization endpoint gives an ID token: `code id_token` in the fragment
// and by form_post, with nonce and c_hash checked, and `id_token` alone for the client `page`, which has no secret.
// Called with the issuer; prints what it got as one line of JSON.
import * as client from 'openid-client'
import { Browser, formOf } from './browser.mjs'

const [issuer] = process.argv.slice(2)
const redirectUri = 'http://127.0.0.1:9/callback'

const discover = (id, authentication, useResponseType) =>
  client.discovery(new URL(issuer), id, undefined, authentication, {
    execute: [client.allowInsecureRequests, useResponseType],
  })

const hybrid = await discover('app', client.ClientSecretBasic('app-secret'), client.useCodeIdTokenResponseType)
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const challenge = await client.calculatePKCECodeChallenge(verifier)
const hybridUrl = (parameters) =>
  client.buildAuthorizationUrl(hybrid, {
    redirect_uri: redirectUri,
    scope: 'openid email',
    connector_id: 'mock',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  })
const redeem = async (answer) => {
  const tokens = await client.authorizationCodeGrant(hybrid, answer, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
  })
  return tokens.claims().email
}

const arrived = await new Browser(redirectUri).arrive(hybridUrl({}))
const { action, fields } = formOf(await new Browser(redirectUri).visit(hybridUrl({ response_mode: 'form_post' })))
const posted = new Request(action, { method: 'POST', body: fields })

// The code of one login with the ID token of another: its c_hash tells.
const other = new URLSearchParams((await new Browser(redirectUri).arrive(hybridUrl({}))).hash.slice(1))
const swapped = new URL(arrived)
const parameters = new URLSearchParams(arrived.hash.slice(1))
parameters.set('code', other.get('code'))
swapped.hash = parameters

const implicit = await discover('page', client.None(), client.useIdTokenResponseType)
const page = await new Browser(redirectUri).arrive(
  client.buildAuthorizationUrl(implicit, {
    redirect_uri: redirectUri,
    scope: 'openid email',
    connector_id: 'mock',
    state,
    nonce,
  }),
)

console.log(
  JSON.stringify({
    swapped: (await redeem(swapped).catch((error) => error)).cause.cause.claim,
    fragment: await redeem(arrived),
    formPost: await redeem(posted),
    implicit: (await client.implicitAuthentication(implicit, page, nonce, { expectedState: state })).email,
  }),
)
