// SPDX-License-Identifier: Apache-2.0
// oidc-provider on loopback HTTPS. Arguments: folder with op.pem and op.key, our redirect address.
// Prints its issuer. Groups of a person: what stands after '-' in the name he gives.
import { createRequire } from "node:module";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [dir, redirect, modules] = process.argv.slice(2);
const require = createRequire(path.join(modules, "x.js"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const groups = (id) => (id.includes("-") ? id.split("-").slice(1) : []);
const server = https.createServer({ cert: fs.readFileSync(path.join(dir, "op.pem")), key: fs.readFileSync(path.join(dir, "op.key")) });
server.listen(0, "127.0.0.1", () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "assay", client_secret: "a secret/of+ours", redirect_uris: [redirect], grant_types: ["authorization_code"], response_types: ["code"] }],
    claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"] },
    conformIdTokenClaims: false,
    pkce: { methods: ["S256"], required: () => true },
    cookies: { keys: ["one"] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id.split("-")[0], name: "Somebody", groups: groups(id) }) }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
