// Reader of events as browsers have it: EventSource, which comes back by itself with Last-Event-ID. Prints `NUMBER TIME` of each event.
// usage: node watch.mjs BASE    (TOKEN in the environment)
import { createRequire } from "node:module";

const { EventSource } = createRequire(`${process.env.REVALIDATED_NODE}/`)("eventsource");
const authorization = `Bearer ${process.env.TOKEN}`;
const source = new EventSource(`${process.argv[2]}/api/v1/events/stream`, {
  fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, authorization } }),
});
source.onopen = () => console.log("open");
const say = ({ lastEventId }) => console.log(lastEventId.split(".").pop(), Date.now() / 1000);
for (const kind of ["integration.validation.failed", "integration.validation.recovered"]) source.addEventListener(kind, say);
