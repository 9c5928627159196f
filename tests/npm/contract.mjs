// SPDX-License-Identifier: Apache-2.0
// contract.mjs OPENAPI.json EXCHANGES.ndjson: is the document valid OpenAPI 3.1, and is every real answer what it says? TAP.
import fs from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const doc = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const exchanges = fs.readFileSync(process.argv[3], "utf8").trim().split("\n").map((l) => JSON.parse(l));
let n = 0, failed = 0;
const ok = (cond, what, more = []) => {
  n++;
  if (!cond) failed++;
  console.log(`${cond ? "ok" : "not ok"} ${n} - ${what}`);
  for (const m of cond ? [] : more.slice(0, 20)) console.log("# " + (typeof m === "string" ? m : JSON.stringify(m)));
};

const checked = await new Validator().validate(structuredClone(doc));
ok(checked.valid, "the document is valid OpenAPI 3.1", [checked.errors]);

const ajv = new Ajv2020({ strict: false, allErrors: false });
addFormats(ajv);
ajv.addSchema({ $id: "doc", components: doc.components });
const compiled = new Map();
const judge = (schema, value) => {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"doc#/components/');
  if (!compiled.has(text)) compiled.set(text, ajv.compile(JSON.parse(text)));
  const f = compiled.get(text);
  return f(value) ? null : f.errors[0];
};
const resolve = (o) => (o?.$ref ? o.$ref.split("/").slice(1).reduce((d, k) => d[k], doc) : o);

const bad = [], good = new Set();
for (const x of exchanges) {
  const op = doc.paths[x.path]?.[x.method.toLowerCase()];
  const where = `${x.method} ${x.path} ${x.status}`;
  const response = resolve(op?.responses[x.status] ?? (x.status >= 400 ? op?.responses.default : undefined));
  if (!response) {
    bad.push(`${where}: the document has no such answer`);
    continue;
  }
  const media = response.content?.[Object.keys(response.content).find((m) => x.type.startsWith(m.split(";")[0]))];
  if (response.content && !media) bad.push(`${where}: ${x.type} is not among ${Object.keys(response.content)}`);
  if (!response.content && x.body !== null) bad.push(`${where}: a body where none is told of`);
  const error = media?.schema && x.body !== null ? judge(media.schema, x.body) : null;
  if (error) bad.push(`${where}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
  for (const name of Object.keys(response.headers ?? {}))
    if (!x.headers[name.toLowerCase()]) bad.push(`${where}: no header ${name}`);
  if (x.status < 300) good.add(`${x.method} ${x.path}`);
}
ok(bad.length === 0, `${exchanges.length} real answers are what the document says`, bad);

// Not exercised here, and why.
const without = JSON.parse(fs.readFileSync(new URL("without.json", import.meta.url)));
const missing = [], stale = [];
for (const [path, ops] of Object.entries(doc.paths))
  for (const method of Object.keys(ops)) {
    const key = `${method.toUpperCase()} ${path}`;
    if (method !== "get") continue;
    if (!good.has(key) && !without[key]) missing.push(key);
    if (good.has(key) && without[key]) stale.push(key);
  }
ok(missing.length === 0, "every GET route has a real answer, or a reason in without.json", missing);
ok(stale.length === 0, "no reason where there is an answer", stale);
const wrong = [];
for (const [path, ops] of Object.entries(doc.paths))
  for (const [method, op] of Object.entries(ops)) {
    const content = resolve(op.requestBody)?.content?.["application/json"];
    const error = content?.example ? judge(content.schema, content.example) : null;
    if (error) wrong.push(`${method} ${path}: ${error.message}`);
  }
ok(wrong.length === 0, "examples are what their schemas say", wrong);
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
