// What openid-client 6 does without a browser: client credentials with each way to authenticate, introspection, revocation.
// Called with the issuer, the secret of the client `machine` and the private key of `keyed` as a JWK; prints what it got as
// one line of JSON.
import * as client from 'openid-client'

const [issuer, secret, jwk] = process.argv.slice(2)
const key = await crypto.subtle.importKey('jwk', JSON.parse(jwk), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])

const discover = (id, authentication) =>
  client.discovery(new URL(issuer), id, {}, authentication, { execute: [client.allowInsecureRequests] })
const tokensOf = async (id, authentication) =>
  (await client.clientCredentialsGrant(await discover(id, authentication), { scope: 'profile' })).access_token
const subjectOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub

const subjects = {}
for (const [name, id, authentication] of [
  ['client_secret_basic', 'machine', client.ClientSecretBasic(secret)],
  ['client_secret_post', 'machine', client.ClientSecretPost(secret)],
  ['client_secret_jwt', 'machine', client.ClientSecretJwt(secret)],
  ['private_key_jwt', 'keyed', client.PrivateKeyJwt({ key, kid: 'k' })],
]) {
  subjects[name] = subjectOf(await tokensOf(id, authentication))
}

const config = await discover('machine', client.ClientSecretBasic(secret))
const token = await tokensOf('machine', client.ClientSecretBasic(secret))
const before = await client.tokenIntrospection(config, token)
await client.tokenRevocation(config, token)
const after = await client.tokenIntrospection(config, token)
const failure = await tokensOf('machine', client.ClientSecretBasic('wrong')).catch((error) => error)
console.log(
  JSON.stringify({
    subjects,
    before: [before.active, before.client_id, before.token_use],
    after,
    refused: failure.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' || failure.error === 'invalid_client',
  }),
)
