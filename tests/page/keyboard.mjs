// Walks the pages by keyboard alone: Tab reaches everything that can be acted on, in sight and with a visible focus, and every action is done.
// usage: node keyboard.mjs BASE PATH...    (TOKEN in the environment)
import { launch, report } from "./browser.mjs";

const [base, ...paths] = process.argv.slice(2);
const faults = [];
const { browser, open, close } = await launch(base, faults, /missing/);
await browser.defaultBrowserContext().overridePermissions(base, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
const expect = (what, is) => { if (!is) faults.push(what); };
const STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";

// Names of what is shown and can be acted on; what is in closed details and the skip link is not shown.
const stops = (page) => page.evaluate((stops) => {
  // Without numbers: runs go on.
  window.nameOf = (one) => `${one.tagName} ${one.id || one.name || ""} ${one.getAttribute("href") || ""} ${one.textContent.slice(0, 40)}`.replace(/\d+/g, "0");
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.matches(".sr");
  return [...document.querySelectorAll(stops)].filter(shown).map(window.nameOf);
}, STOPS);
const current = (page) => page.evaluate(() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (one === document.body) return null;
  const inside = one.matches("[data-strip]") ? getComputedStyle(one.firstElementChild) : style;
  const ring = [style, inside].some(({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && outlineWidth !== "0px");
  return { name: window.nameOf(one), ring, inSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
});

for (const path of paths) {
  const page = await open(path), reached = new Set();
  // Rows that come and go with runs are not waited for, and pages of runs grow while they are walked.
  const before = new Set(await stops(page));
  for (let left = before.size * 3 + 200; 0 < left; left -= 1) {
    await page.keyboard.press("Tab");
    const at = await current(page);
    if (!at && reached.size) break;
    if (!at) continue;
    reached.add(at.name);
    expect(`${path}: no ring around ${at.name}`, at.ring);
    // New runs push the rows of their list down, and with them the one in focus.
    expect(`${path}: out of sight: ${at.name}`, at.inSight || path.startsWith("/runs"));
  }
  const after = new Set(await stops(page)), wanted = [...before].filter((name) => after.has(name));
  const missed = wanted.filter((name) => !reached.has(name));
  expect(`${path}: not reached by Tab: ${missed.slice(0, 5).join(" | ")}`, missed.length === 0);
  await page.close();
}

// What can be done is done by keys.
let page;
const begin = async (path) => { await page?.close(); page = await open(path); };
const key = (...keys) => keys.reduce((before, one) => before.then(() => page.keyboard.press(one)), Promise.resolve());
const text = () => page.evaluate(() => document.querySelector("main").innerText);
const to = async (selector) => {
  for (let left = 400; 0 < left; left -= 1) {
    await key("Tab");
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
  }
  faults.push(`${page.url()}: ${selector} is not reached`);
};
const follow = async (what, ...keys) => {
  const begun = page.url();
  await Promise.all([page.waitForNavigation({ timeout: 8000 }).catch(() => faults.push(`${what}: nothing follows at ${begun}`)), key(...keys)]);
};
const at = (what, part) => expect(`${what}: ${page.url()}`, page.url().includes(part));
const done = async (what, part, words) => {
  at(what, part);
  if (words) expect(`${what}: no word of ${words}`, (await text()).includes(words));
};

await begin("/");
await key("Tab");
expect("the first stop skips to the content, and is seen", await page.evaluate(() => document.activeElement.getAttribute("href") === "#main" && 4 < document.activeElement.getBoundingClientRect().width));
await key("Enter", "Tab");
expect("after it the next stop is in the content", await page.evaluate(() => document.querySelector("main").contains(document.activeElement)));
await key("/");
expect("/ leads to the search", await page.evaluate(() => document.activeElement.id === "q"));
await page.keyboard.type("lake-orders");
await follow("search", "Enter");
at("search", "q=lake-orders");
await to("tbody a[href='/i/lake-orders']");
await follow("integration", "Enter");
at("integration", "/i/lake-orders");
await to(".copy");
await key("Enter");
await page.waitForFunction(() => document.activeElement.textContent === "Copied", { timeout: 3000 }).catch(() => faults.push("a remediation is not copied by Enter"));
await begin("/i/lake-orders");
await to("#a-acknowledge summary");
await key("Enter", "Tab", "ArrowDown", "Tab");
expect("another time is chosen by the arrow", await page.evaluate(() => document.querySelector("#a-acknowledge select").selectedIndex === 1));
await page.keyboard.type("by keys");
await follow("acknowledge", "Enter");
await done("acknowledge", "done=acknowledge");
await to("#a-silence summary");
await key("Space", "Tab", "Tab", "Tab");
await follow("silence", "Space");
await done("silence", "done=silence");
await to("form[action='/do/validate'] button");
await follow("validate", "Enter");
at("validate", "done=");
await to(".plotbox");
await key("ArrowLeft", "ArrowLeft");
await page.waitForFunction(() => document.querySelector(".tip:not([hidden])"), { timeout: 3000 }).catch(() => faults.push("the arrows name no run"));
await follow("run", "Enter");
at("run", "/runs/");
await begin("/");
await to(".group a");
await key("Enter");
await page.waitForFunction(() => document.querySelector(".group a").getAttribute("aria-expanded") === "false", { timeout: 3000 }).catch(() => faults.push("a group is not folded by Enter"));
expect("the focus stays at the group", await page.evaluate(() => document.activeElement.matches(".group a")));
await key("Enter");
await page.waitForFunction(() => document.querySelector(".group a").getAttribute("aria-expanded") === "true", { timeout: 3000 }).catch(() => faults.push("a group is not opened again by Enter"));
await to("select[name=label]");
await follow("choice", "ArrowDown");
at("choice", "label=");
await begin("/receivers");
await to("tbody a[href='/receivers/ticketing']");
await follow("receiver", "Enter");
for (const [action, word] of [["disable", "disabled"], ["enable", "enabled"]]) {
  await to(`form[action='/do/${action}'] button`);
  await follow(action, "Enter");
  await done(action, `done=${action}`, word);
}
await begin("/deliveries?state=delivered");
await to("form[action='/do/redeliver'] button");
await follow("redeliver", "Enter");
at("redeliver", "done=redeliver");
await begin("/silences");
await to("input[name=names]");
await page.keyboard.type("risk-*");
await follow("plan", "Enter");
await done("plan", "names=risk-", "7 integrations");
await to("form[action='/do/silence'] input[name=comment]");
await page.keyboard.type("keys only");
await follow("silence of several", "Enter");
await done("silence of several", "done=silence", "keys only");
for (let left = 3; 0 < left; left -= 1) {
  await to("form[action='/do/end-silence'] button");
  await follow("end", "Enter");
  at("end", "done=end-silence");
}
await close();
report(faults, `${paths.length} pages walked by keys`);
