// Drives the pages of a running daemon in a headless Chromium: what flips is shown without a reload, focus, scroll, open details and typed text
// stay, also after a restart and without network; without JavaScript every link, filter and form works; links lead somewhere.
// usage: fleet.py BINARY | node live.mjs   is run by run.py, which passes BASE and TOKEN and answers to lines `break NAME`, `repair NAME`, `restart`
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.REVALIDATED_NODE}/`);
const puppeteer = require("puppeteer-core");
const { BASE: base, TOKEN: token } = process.env;
const faults = [], notes = [];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (line) => { console.log(`> ${line}`); await lines.next(); };
const expect = (what, is) => { if (!is) faults.push(what); };
const until = async (page, what, test, argument, limit = 8000) => {
  const begun = Date.now();
  const found = await page.waitForFunction(test, { timeout: limit, polling: 50 }, argument).catch(() => null);
  expect(`${what} within ${limit} ms`, found);
  return Date.now() - begun;
};

const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const open = async (path, javascript = true) => {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(javascript);
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await page.setViewport({ width: 1440, height: 900 });
  page.on("pageerror", (error) => faults.push(`${path}: ${error}`));
  await page.goto(base + path, { waitUntil: "load" });
  return page;
};

// 1. A flip is on the page within two seconds of its commit; what a person does meanwhile stays.
const page = await open("/");
await until(page, "the page is live", () => document.querySelector("#live").dataset.state === "live");
await page.type("#q", "half a wo");
await page.focus("#q");
await page.evaluate(() => scrollTo(0, 300));
const place = () => page.evaluate(() => Math.round(document.querySelector("#q").getBoundingClientRect().top));
const before = await place();
await ask("break risk-orders");
const took = await until(page, "the flip of risk-orders is in its row", () => [...document.querySelectorAll("tr.is-bad a")].some((one) => one.textContent === "risk-orders"), null, 15000);
await until(page, "and in the headline", () => document.querySelector("h1").textContent.startsWith("4 of"));
notes.push(`a flip was shown after ${took} ms, the run included`);
await until(page, "it is said politely", () => document.querySelector("#say").textContent === "risk-orders is failing");
await until(page, "the title counts it", () => document.title.startsWith("4 failing"));
const kept = await page.evaluate(() => [document.querySelector("#q").value, document.activeElement.id]);
expect(`typed text and focus stay: ${kept}`, kept.join() === "half a wo,q");
expect(`what is looked at stays in its place: ${before}, ${await place()}`, Math.abs(before - await place()) < 3);

// 2. After a restart of the daemon, and after a time without network.
await ask("restart");
await ask("repair risk-orders");
await until(page, "the page follows after a restart", () => document.querySelector("h1").textContent.startsWith("3 of"), null, 30000);
await page.setOfflineMode(true);
await until(page, "a page that may be stale says so", () => document.documentElement.classList.contains("is-stale") && document.querySelector("#live").textContent.startsWith("reconnecting"), null, 40000);
await page.setOfflineMode(false);
await until(page, "and is live again", () => document.querySelector("#live").dataset.state === "live", null, 30000);
expect("typed text stays", await page.evaluate(() => document.querySelector("#q").value === "half a wo"));
const ticks = () => page.evaluate(() => document.querySelector(".c-pass time").textContent);
const shown = await ticks();
await new Promise((done) => setTimeout(done, 2500));
expect(`relative times tick: ${shown}`, shown !== await ticks());

// 3. Open details and the tooltip of a strip.
const detail = await open("/i/lake-orders");
await detail.click("#verdict summary");
await ask("break lake-orders");
await detail.evaluate(() => { document.querySelector("#facts").dataset.seen = "1"; });
await until(detail, "the page of an integration follows its runs", () => !document.querySelector("#facts").dataset.seen, null, 20000);
expect("open details stay open", await detail.evaluate(() => document.querySelector("#looks").open));
await detail.evaluate(() => document.querySelector(".plotbox").scrollIntoView());
const plot = await (await detail.$(".plotbox svg")).boundingBox();
await detail.mouse.move(plot.x + plot.width - 2, plot.y + 20);
await until(detail, "the pointer names a run", () => / (passed|failed|warning|skipped)/.test(document.querySelector(".tip:not([hidden])")?.textContent));
await page.focus("[data-strip]");
await page.keyboard.press("Tab"); await page.keyboard.press("Tab");

// 4. Without JavaScript: filters, actions, and every link.
const plain = await open("/?q=lake&type=Native+S3", false);
expect("a filter works", (await plain.$$eval("tbody tr:not(.group)", (rows) => rows.length)) === 7);
await plain.goto(`${base}/i/ops-stage`);
await Promise.all([plain.waitForNavigation(), plain.click('form[action="/do/validate"] button')]);
expect(`a run is asked for: ${plain.url()}`, plain.url().endsWith("/i/ops-stage?done=validate") || plain.url().endsWith("done=running"));
await plain.click("#a-silence summary");
await plain.type('#a-silence input[name="comment"]', "by <form>");
await Promise.all([plain.waitForNavigation(), plain.click('#a-silence button')]);
expect("a silence is made", (await plain.content()).includes("Messages about these integrations wait now."));
await plain.goto(`${base}/silences`);
expect("with its author and comment", (await plain.content()).includes("by &lt;form&gt;"));
await Promise.all([plain.waitForNavigation(), plain.click('form[action="/do/end-silence"] button')]);
expect("and is ended", plain.url().includes("done=end-silence"));

const seen = new Set(), todo = ["/"];
while (todo.length && seen.size < 400) {
  const path = todo.shift();
  if (seen.has(path)) continue;
  seen.add(path);
  const answer = await plain.goto(base + path).catch(() => null);
  if (path.endsWith(".ics")) continue;
  expect(`${path}: ${answer?.status()}`, answer && answer.status() === 200);
  const links = await plain.$$eval("a[href^='/']", (all) => all.map((one) => one.getAttribute("href")));
  for (const link of links) {
    const kind = link.split("?")[0].replace(/\/runs\/\d+/, "/runs/1");
    if (/^\/(metrics|openapi)/.test(link) || /after=/.test(link)) continue;
    if (![...seen, ...todo].filter((other) => other.split("?")[0].replace(/\/runs\/\d+/, "/runs/1") === kind)[2]) todo.push(link);
  }
}
notes.push(`${seen.size} links lead somewhere`);

await browser.close();
for (const note of notes) console.log(note);
for (const fault of faults) console.log(`FAULT ${fault}`);
console.log(`${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
