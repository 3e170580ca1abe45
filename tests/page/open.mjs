// Leaves the overview open for MINUTES (five) while integrations flip: neither its heap nor the memory of its process grows by 20 MB.
// usage: node open.mjs BASE    (TOKEN in the environment)
import { readFileSync } from "node:fs";
import { launch, report, wait } from "./browser.mjs";

const base = process.argv[2], minutes = Number(process.env.MINUTES || 5), faults = [];
const { browser, open, close } = await launch(base, faults);
const page = await open("/", { token: "" });
// The tools of developers, which drive the browser, keep the answers that they see.
await page._client().send("Network.disable");
const session = await page.createCDPSession(), system = await browser.target().createCDPSession();
const before = await page.evaluate(() => {
  window.changes = 0;
  new MutationObserver(() => { window.changes += 1; }).observe(document.querySelector("#say"), { childList: true });
  return document.querySelector("h1").textContent;
});
// Megabytes of the heap, and of the process of the page that no other shares.
const measured = async () => {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { processInfo } = await system.send("SystemInfo.getProcessInfo");
  const own = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => /^Private_Dirty: +(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))[1] / 1024);
  return [usedSize / 1e6, Math.max(...own)];
};
await wait(60000);
const first = await measured(), all = [];
for (let minute = 0; minute < minutes; minute += 1) {
  await wait(60000);
  all.push(await measured());
}
const said = await page.evaluate(() => window.changes);
const grown = all.at(-1).map((megabytes, at) => megabytes - first[at]);
console.log(`${minutes} minutes: heap ${first[0].toFixed(1)} to ${all.at(-1)[0].toFixed(1)} MB, process ${first[1].toFixed(1)} to ${all.at(-1)[1].toFixed(1)} MB (each minute ${all.map((one) => one[1].toFixed(0)).join(", ")}); ${said} flips were said, headline was "${before}"`);
if (grown.some((megabytes) => 20 <= megabytes)) faults.push(`grown by ${grown.map((one) => one.toFixed(1))} MB`);
if (said < minutes * 3) faults.push(`only ${said} flips were said`);
await close();
report(faults, "a page was left open");
