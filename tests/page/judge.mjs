// Judges pages: accessibility (axe-core, WCAG 2.2 AA and best practices) in light and dark at two widths, no horizontal scroll at 320 px and at
// 200 % zoom, no message on the console, no request to another origin, no violation of the content security policy.
// usage: node judge.mjs BASE PATH...   (REVALIDATED_NODE names the folder with the packages, CHROMIUM the browser, PICTURES a folder for pictures)
import { readFileSync } from "node:fs";
import { launch, report, require, wait } from "./browser.mjs";

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, ...paths] = process.argv.slice(2);
const faults = [];
const { open, close } = await launch(base, faults, process.env.STATIC ? /api\/v1\/changes|ERR_|404|favicon/ : /missing/);
const views = [
  { scheme: "light", width: 1440 }, { scheme: "dark", width: 1440 }, { scheme: "light", width: 390 }, { scheme: "dark", width: 390 },
  // 320 px, and a window of 1280 px at 200 %.
  { scheme: "light", width: 320, narrow: true }, { scheme: "light", width: 640, height: 450, scale: 2, narrow: true },
];
for (const path of paths) {
  for (const view of views) {
    const at = `${path} ${view.scheme} ${view.width}`, page = await open(path, view);
    await wait(300);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${at.replace(/[^a-z0-9]+/gi, "-")}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (0 < wide) faults.push(`${at}: ${wide} px wider than the window`);
    if (!view.narrow) {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const { id, nodes } of violations) faults.push(`${at}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.any.concat(node.all, node.none).map((check) => check.message).join("; ").slice(0, 200)).join("\n    ")} (${nodes.length})`);
    }
    await page.close();
  }
}
await close();
report(faults, `${paths.length} pages judged`);
