// Checks the bodies of deliveries, one JSON object per line of which those with `expect` true count,
// against the published JSON Schema.
//
// usage: node schema.mjs FOLDER_OF_NODE_MODULES FILE
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const [folder, file] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const ajv = new (require("ajv/dist/2020"))({ strict: false, allErrors: true });
require("ajv-formats")(ajv);
const schema = new URL("../../schemas/event.v1.schema.json", import.meta.url);
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
let count = 0;
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const { body, expect } = JSON.parse(line);
  if (!expect) continue;
  if (!validate(JSON.parse(body))) throw new Error(`${ajv.errorsText(validate.errors)}: ${body}`);
  count += 1;
}
if (count === 0) throw new Error("nothing to check");
console.log(`JSON Schema: ${count} bodies fit`);
