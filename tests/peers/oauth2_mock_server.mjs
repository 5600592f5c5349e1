// npm oauth2-mock-server, which says whatever it is told to: node oauth2_mock_server.mjs PORT
// Each line of standard input is JSON that is laid over the claims of every token, null removing one;
// it answers "ready".
import { createInterface } from 'node:readline';
import { OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
let over = {};
server.service.on('beforeTokenSigning', (token) => {
  const person = { sub: 'jane', aud: 'federation', name: 'Jane Doe', email: 'jane@example.org', email_verified: true };
  Object.assign(token.payload, person, over);
  for (const [name, value] of Object.entries(over)) if (value === null) delete token.payload[name];
});
createInterface({ input: process.stdin }).on('line', (line) => {
  over = JSON.parse(line);
  console.log('ready');
});
await server.start(Number(process.argv[2]), '127.0.0.1');
