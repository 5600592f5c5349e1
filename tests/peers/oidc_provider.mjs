// npm oidc-provider, a strict OpenID provider: node oidc_provider.mjs PORT CALLBACK
import Provider from 'oidc-provider';

const [port, callback] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'federation',
    client_secret: 'in-confidence secret+%&',
    redirect_uris: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }],
  claims: { profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Name of ${id}`,
      preferred_username: id,
      email: `${id}@example.org`,
      email_verified: true,
      groups: ['staff', { name: 'admins' }],
    }),
  }),
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  rotateRefreshToken: true,
});
provider.listen(Number(port), '127.0.0.1');
