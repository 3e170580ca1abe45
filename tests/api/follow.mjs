// Follower of one integration as a screen does it: EventSource says that something changed, and the published route what it is now.
// Prints the status and the results of each change as a line of JSON.   usage: node follow.mjs BASE NAME    (TOKEN in the environment)
import { createRequire } from "node:module";

const { EventSource } = createRequire(`${process.env.REVALIDATED_NODE}/`)("eventsource");
const [base, name] = process.argv.slice(2);
const raw = { authorization: process.env.TOKEN };
const source = new EventSource(`${base}/api/v1/changes`, { fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...raw } }) });
source.onopen = () => console.log("open");
source.addEventListener("integration", async ({ data }) => {
  const change = JSON.parse(data);
  if (change.name !== name) return;
  const { id, status, validationResults } = await (await fetch(`${base}/integrations/${change.id}/status`, { headers: raw })).json();
  console.log(JSON.stringify({ id, status, validationResults }));
});
