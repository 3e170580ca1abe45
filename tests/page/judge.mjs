// Judges pages in a headless Chromium: accessibility (axe-core, WCAG 2.2 AA and best practices) in light and dark at two widths, no
// horizontal scroll at 320 px, no message on the console, no request to another origin.
// usage: node judge.mjs BASE PATH...   (REVALIDATED_NODE names the folder with the packages, CHROMIUM the browser)
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.REVALIDATED_NODE}/`);
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, ...paths] = process.argv.slice(2);
const quiet = process.env.STATIC ? /api\/v1\/changes|ERR_|404|favicon/ : /^$/;
const faults = [];

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const path of paths) {
  for (const [scheme, width] of [["light", 1440], ["dark", 1440], ["light", 390], ["dark", 390], ["light", 320]]) {
    const at = `${path} ${scheme} ${width}`;
    const page = await browser.newPage();
    await page.setBypassCSP(true);
    if (process.env.TOKEN) await page.setExtraHTTPHeaders({ authorization: `Bearer ${process.env.TOKEN}` });
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    page.on("console", (message) => { if (!quiet.test(message.text() + message.location().url)) faults.push(`${at}: console: ${message.text()}`); });
    page.on("pageerror", (error) => faults.push(`${at}: ${error}`));
    page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("data:")) faults.push(`${at}: request to ${request.url()}`); });
    await page.goto(base + path, { waitUntil: "load" });
    await new Promise((done) => setTimeout(done, 300));
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${at.replace(/[^a-z0-9]+/gi, "-")}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (0 < wide) faults.push(`${at}: ${wide} px wider than the window`);
    if (320 < width) {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const { id, nodes } of violations) faults.push(`${at}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.any.concat(node.all, node.none).map((check) => check.message).join("; ").slice(0, 200)).join("\n    ")} (${nodes.length})`);
    }
    await page.close();
  }
}
await browser.close();
for (const fault of faults) console.log(fault);
console.log(`${paths.length} pages judged, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
