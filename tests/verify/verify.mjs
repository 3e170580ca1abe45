// Verifies deliveries with the JavaScript library `standardwebhooks`.
//
// Usage: verify.mjs FOLDER FILE: the folder holds node_modules; the file, one JSON object a line:
// {"secret": .., "headers": {..}, "body": .., "expect": true or false, "why": ..}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, path] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

// Any other exception than the library's own refusal ends the program.
function accepts({ secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
  return true;
}

const lines = readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
let accepted = 0;
for (const [index, line] of lines.entries()) {
  const delivery = JSON.parse(line);
  const found = accepts(delivery);
  if (found !== delivery.expect) {
    const verb = found ? "accepted" : "refused";
    console.error(`JavaScript standardwebhooks: line ${index + 1} was ${verb}: ${delivery.why}`);
    process.exit(1);
  }
  accepted += Number(found);
}
console.log(`JavaScript standardwebhooks: ${accepted} accepted, ${lines.length - accepted} refused`);
