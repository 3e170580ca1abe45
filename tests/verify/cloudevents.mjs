// Reads CloudEvents as they came over the wire, one JSON object of headers and body per line, with
// the SDK of the CloudEvents project, which validates them against the specification's JSON Schema.
//
// usage: node cloudevents.mjs FOLDER_OF_NODE_MODULES FILE
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const [folder, file] = process.argv.slice(2);
const { HTTP } = createRequire(resolve(folder, "package.json"))("cloudevents");
let count = 0;
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const { headers, body, id, type, subject } = JSON.parse(line);
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  const found = [event.id, event.type, event.subject, event.specversion].join(" ");
  const wanted = [id, type, subject, "1.0"].join(" ");
  if (found !== wanted) throw new Error(`found ${found}, not ${wanted}`);
  if (event.data.integration.name !== subject) throw new Error("the payload was not read");
  count += 1;
}
console.log(`CloudEvents: ${count} read`);
