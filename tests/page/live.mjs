// Drives the pages of a running daemon in a headless Chromium: what flips is shown without a reload, focus, scroll, open details and typed text
// stay, also after a restart and without network; without JavaScript every link, filter and form works; links lead somewhere.
// usage: fleet.py BINARY | node live.mjs   is run by run.py, which passes BASE and TOKEN and answers to lines `break NAME`, `repair NAME`, `restart`
import { createInterface } from "node:readline";
import { launch, report, wait } from "./browser.mjs";

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
// While the daemon is down or the network gone the browser says so on its console.
const { open, close } = await launch(base, faults, /ERR_|Failed to load resource/);

// A person is in the middle of something: what they have typed, where the caret is, what is open, and where the page is scrolled to.
const busy = async (page, type, opened, scrolled) => {
  for (const selector of opened) await page.click(selector);
  await page.focus(type);
  await page.keyboard.type("half a word");
  for (let left = 5; 0 < left; left -= 1) await page.keyboard.press("ArrowLeft");
  await page.evaluate((to) => scrollTo(0, to), scrolled);
  await wait(100);
  const state = () => page.evaluate((type) => {
    const field = document.querySelector(type);
    return [document.activeElement === field, field.value, field.selectionStart, Math.round(field.getBoundingClientRect().top), ...[...document.querySelectorAll("details")].filter((one) => one.open).map((one) => one.id)];
  }, type);
  const before = await state();
  expect(`typed: ${before}`, before[0] && before[1] === "half a word" && before[2] === 6);
  return async (after) => {
    const now = await state(), moved = Math.abs(now[3] - before[3]);
    const rest = (all) => all.filter((_, at) => at !== 3).join();
    expect(`${page.url()} after ${after}: was ${before}, is ${now}`, rest(now) === rest(before) && moved < 3);
  };
};

// 1. A flip is on the page within two seconds of its commit; what a person does meanwhile stays.
const page = await open("/"), detail = await open("/i/lake-orders");
for (const one of [page, detail]) await until(one, "the page is live", () => document.querySelector("#live").dataset.state === "live");
await page.bringToFront();
const kept = await busy(page, "#q", [], 300);
await ask("break risk-orders");
const took = await until(page, "the flip of risk-orders is in its row", () => [...document.querySelectorAll("tr.is-bad a")].some((one) => one.textContent === "risk-orders"), null, 15000);
const seenAt = Date.now();
const { items } = await (await fetch(`${base}/api/v1/transitions?limit=20`, { headers: { authorization: `Bearer ${token}` } })).json();
const flip = items.find((one) => one.integration.name === "risk-orders" && one.to === "recurringValidationError");
expect(`the flip was seen ${seenAt - Date.parse(flip?.at)} ms after its commit`, seenAt - Date.parse(flip?.at) <= 2000);
await until(page, "and in the headline", () => document.querySelector("h1").textContent.startsWith("4 of"));
notes.push(`a flip was shown ${seenAt - Date.parse(flip?.at)} ms after its commit, and ${took} ms after its cause`);
await until(page, "it is said politely", () => document.querySelector("#say").textContent === "risk-orders is failing");
await until(page, "the title counts it", () => document.title.startsWith("4 failing"));
await kept("a flip");

// The page of an integration: open details, and a comment that is typed into one of two forms with the same fields.
await detail.bringToFront();
await detail.click("#verdict summary");
const typed = await busy(detail, "#a-acknowledge input[name=comment]", ["#a-acknowledge summary"], 120);
const follows = async (after, limit = 20000) => {
  await detail.evaluate(() => { for (const id of ["facts", "title"]) document.getElementById(id).dataset.seen = "1"; });
  await until(detail, `the page of an integration follows its runs after ${after}`, () => !document.querySelector("#facts").dataset.seen, null, limit);
  await typed(after);
};
await follows("a run");
await ask("repair lake-orders");
await until(detail, "a recovery is shown", () => document.querySelector("h1 + .tag").textContent === "enabled", null, 15000);
expect("what cannot be acknowledged any more has no form", await detail.evaluate(() => !document.querySelector("#a-acknowledge")));
await ask("break lake-orders");
await until(detail, "a failure is shown", () => document.querySelector("h1 + .tag").textContent !== "enabled", null, 15000);
const silence = await busy(detail, "#a-silence input[name=comment]", ["#a-silence summary"], 120);

// 2. After a restart of the daemon, and after thirty seconds without network.
await page.bringToFront();
await ask("restart");
await ask("repair risk-orders");
await until(page, "the page follows after a restart", () => document.querySelector("h1").textContent.startsWith("3 of"), null, 30000);
await kept("a restart");
await detail.bringToFront();
await silence("a restart");
for (const one of [page, detail]) await one.setOfflineMode(true);
const begun = Date.now();
await page.bringToFront();
await until(page, "a page that may be stale says so", () => document.documentElement.classList.contains("is-stale") && document.querySelector("#live").textContent.startsWith("reconnecting"), null, 40000);
await kept("a time without network");
await wait(Math.max(0, 30000 - (Date.now() - begun)));
await ask("break risk-users");
for (const one of [page, detail]) await one.setOfflineMode(false);
for (const one of [detail, page]) {
  await one.bringToFront();
  await until(one, "and is live again", () => document.querySelector("#live").dataset.state === "live", null, 30000);
}
await until(page, "with what has happened meanwhile", () => document.querySelector("h1").textContent.startsWith("4 of"), null, 15000);
await kept("thirty seconds without network");
await ask("repair risk-users");
await detail.bringToFront();
await silence("thirty seconds without network");
await page.bringToFront();
const ticks = () => page.evaluate(() => document.querySelector(".c-pass time").textContent);
const shown = await ticks();
await wait(2500);
expect(`relative times tick: ${shown}`, shown !== await ticks());

// 3. The tooltip of a strip.
await detail.bringToFront();
await detail.evaluate(() => document.querySelector(".plotbox").scrollIntoView());
const plot = await (await detail.$(".plotbox svg")).boundingBox();
await detail.mouse.move(plot.x + plot.width - 2, plot.y + 20);
await until(detail, "the pointer names a run", () => / (passed|failed|warning|skipped)/.test(document.querySelector(".tip:not([hidden])")?.textContent));

// 4. Without JavaScript: filters, actions, and every link.
const plain = await open("/?q=lake-&type=Native+S3", { javascript: false });
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

// 5. Every link leads somewhere; of pages of one kind a few are followed.
const seen = new Set(), todo = ["/", "/?sort=name&show=failing", "/deliveries?receiver=ticketing"];
const KINDS = 4, kindOf = (link) => link.split("?")[0].replace(/\/runs\/\d+/, "/runs/1").replace(/^\/i\/[^/]*/, "/i/name");
while (todo.length && seen.size < 600) {
  const path = todo.shift();
  if (seen.has(path)) continue;
  seen.add(path);
  if (/^\/(metrics|openapi.json|expiry.ics|assets)/.test(path)) {
    const answer = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
    expect(`${path}: ${answer.status}`, answer.status === 200);
    continue;
  }
  const answer = await plain.goto(base + path).catch(() => null);
  expect(`${path}: ${answer?.status()}`, answer && answer.status() === 200);
  const links = await plain.$$eval("[href^='/'], [src^='/']", (all) => all.map((one) => one.getAttribute("href") ?? one.getAttribute("src")));
  const [anchors, ids] = await plain.evaluate(() => [[...document.querySelectorAll("a[href^='#']")].map((one) => one.hash.slice(1)), [...document.querySelectorAll("[id]")].map((one) => one.id)]);
  for (const anchor of anchors) expect(`${path}: no #${anchor}`, ids.includes(anchor));
  for (const link of links) {
    // Names are all followed once; addresses that differ in their query, as many as `KINDS`.
    const alike = [...seen, ...todo].filter((other) => kindOf(other) === kindOf(link));
    const isName = /^\/(i|receivers|outages)\/[^/?]*$/.test(link) && !alike.includes(link);
    if (isName || alike.length < KINDS * 3) todo.push(link);
  }
}
notes.push(`${seen.size} links lead somewhere`);

await close();
for (const note of notes) console.log(note);
report(faults, "pages driven");
