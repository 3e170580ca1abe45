// A webhook sender of BullMQ: signs each message as Standard Webhooks say and posts it on kept connections.
//
// usage: node sender.mjs queue|send FOLDER REDIS_PORT URL EVENT TOTAL AT_ONCE
// FOLDER has node_modules; `queue` adds the messages, `send` sends what was added and prints one line of JSON.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [mode, folder, port, url, eventFile, total, atOnce] = process.argv.slice(2);
const { Queue, Worker } = createRequire(join(folder, "node_modules", "x.js"))("bullmq");
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const event = readFileSync(eventFile, "utf8");
const key = Buffer.from("a secret that only tests share ....");
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(atOnce) });

function post(id, body) {
  const stamp = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key).update(`${id}.${stamp}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "webhook-id": id,
    "webhook-timestamp": stamp,
    "webhook-signature": `v1,${signature}`,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode < 300 ? resolve() : reject(new Error(`status ${answer.statusCode}`))));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const queue = new Queue("webhooks", { connection });
if (mode === "queue") {
  for (let from = 0; from < Number(total); from += 1000) {
    const jobs = Array.from({ length: Math.min(1000, Number(total) - from) }, (_, number) => ({
      name: "send",
      data: { id: `evt_${from + number}`, body: event },
      opts: { attempts: 8, backoff: { type: "exponential", delay: 1000 } },
    }));
    await queue.addBulk(jobs);
  }
} else {
  const begun = performance.now();
  let done = 0;
  let failed = 0;
  const worker = new Worker("webhooks", (job) => post(job.data.id, job.data.body), { connection, concurrency: Number(atOnce) });
  await new Promise((resolve) => {
    const end = () => (done + failed === Number(total) ? resolve() : undefined);
    worker.on("completed", () => end((done += 1)));
    worker.on("failed", () => end((failed += 1)));
  });
  console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, done, failed }));
  await worker.close(true);
}
await queue.close();
agent.destroy();
process.exit(0);
