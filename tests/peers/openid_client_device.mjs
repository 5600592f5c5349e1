// A device signs in as openid-client 6 does it, with PKCE: its first poll comes too early, then a person types the code.
// Called with the issuer; prints what it got as one line of JSON.
import * as client from 'openid-client'
import { Browser } from './browser.mjs'

const [issuer] = process.argv.slice(2)

const config = await client.discovery(new URL(issuer), 'tv', undefined, client.None(), {
  execute: [client.allowInsecureRequests],
})
const verifier = client.randomPKCECodeVerifier()
const device = await client.initiateDeviceAuthorization(config, {
  scope: 'openid profile offline_access',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const answers = []
const polled = new Promise((resolve) => {
  config[client.customFetch] = async (url, options) => {
    const answer = await fetch(url, options)
    answers.push(answer.ok ? 'tokens' : (await answer.clone().json()).error)
    resolve()
    return answer
  }
})
const polling = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 }, { code_verifier: verifier })
await polled
const browser = new Browser()
const choice = await browser.submit(await browser.visit(device.verification_uri_complete))
const consent = await browser.follow(choice, '/auth/mock')
const end = await browser.submit(consent)
const tokens = await polling
const polls = [...answers]
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
console.log(
  JSON.stringify({
    polls,
    end: end.status,
    name: tokens.claims().name,
    audience: tokens.claims().aud,
    refreshedSub: refreshed.claims().sub === tokens.claims().sub,
  }),
)
