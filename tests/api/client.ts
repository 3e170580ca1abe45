// Client made from schemas/openapi.v1.json alone: openapi-typescript gives its types, openapi-fetch its calls, and the compiler
// refuses whatever the document does not say. It lists, watches and catches up, and prints `NUMBER TYPE` of each event that it takes.
// usage: node client.js BASE    (TOKEN in the environment)
import createClient from "openapi-fetch";
import type { components, paths } from "./document.js";

type Brief = components["schemas"]["ListedIntegration"];
const headers = { authorization: `Bearer ${process.env.TOKEN}` };
const api = createClient<paths>({ baseUrl: process.argv[2], headers });
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
const listed = new Map<number, Brief>();
let after = "0";

const take = (number: string | number, type: string, position: string): void => {
  after = position;
  console.log(`${number} ${type}`);
};

async function list(): Promise<void> {
  for (let cursor: string | undefined; ; ) {
    const { data, error } = await api.GET("/api/v1/integrations", { params: { query: { limit: 15, after: cursor } } });
    if (!data) throw new Error(error?.detail);
    for (const one of data.items) listed.set(one.id, one);
    if (data.next === null) return;
    cursor = data.next;
  }
}

async function catchUp(): Promise<void> {
  for (;;) {
    const { data, error } = await api.GET("/api/v1/events", { params: { query: { after, limit: 7 } } });
    if (error?.code === "events-gone" && error.latest) after = error.latest;
    if (!data) throw new Error(error?.detail);
    for (const one of data.items) take(one.number, one.type, one.id);
    if (data.next === null) return;
  }
}

async function watch(): Promise<void> {
  const query = { after, for: "20s" };
  const { data, error } = await api.GET("/api/v1/events/stream", { params: { query }, parseAs: "stream" });
  if (!data) throw new Error(error?.detail);
  let text = "";
  for await (const part of data.pipeThrough(new TextDecoderStream())) {
    const frames = (text + part).split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) {
      const [, id, type] = /^id: (.*)\nevent: (.*)\ndata: /.exec(frame) ?? [];
      if (id && type) take(id.slice(id.lastIndexOf(".") + 1), type, id);
    }
  }
}

for (;;) {
  try {
    await list();
    await catchUp();
    await watch();
  } catch (error) {
    console.error(`${listed.size} listed: ${error}`);
    await pause(50);
  }
}
