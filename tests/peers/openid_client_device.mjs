// A device signs in as openid-client 6 does it, with PKCE: its first poll comes too early, then a person types the code.
// Called with the issuer; prints what it got as one line of JSON.
import * as client from 'openid-client'

const [issuer] = process.argv.slice(2)

// The browser of the person: cookies are kept, redirects followed; a form is sent with what is filled in already.
const cookies = new Map()
async function browse(url, options = {}) {
  for (let hop = 0; hop < 10; hop++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', ...options, headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=')
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (!location) return { url, status: answer.status, text: await answer.text() }
    url = new URL(location, url)
    options = {}
  }
  throw new Error('too many redirects')
}
function submit(page) {
  const [, attributes, content] = page.text.match(/<form([^>]*)>(.*?)<\/form>/s)
  const action = attributes.match(/action="([^"]*)"/)?.[1].replaceAll('&amp;', '&') ?? page.url
  const inputs = [...content.matchAll(/<input[^>]*>/gs)].map(([input]) => [
    input.match(/name="([^"]*)"/)[1],
    input.match(/value="([^"]*)"/)[1],
  ])
  return browse(new URL(action, page.url), { method: 'POST', body: new URLSearchParams(inputs) })
}

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
const choice = await submit(await browse(device.verification_uri_complete))
const consent = await browse(new URL(choice.text.match(/href="([^"]*\/auth\/mock[^"]*)"/)[1].replaceAll('&amp;', '&'), choice.url))
const end = await submit(consent)
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
