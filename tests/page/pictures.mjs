// Renews the pictures of the documentation from the demo.   usage: node pictures.mjs BASE FOLDER
import { createRequire } from "node:module";

const require = createRequire(`${process.env.REVALIDATED_NODE}/`);
const puppeteer = require("puppeteer-core");
const [base, folder] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
for (const [path, name, height] of [["/", "overview", 1080], ["/i/trino-etl", "detail", 1080]]) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height });
  await page.goto(base + path, { waitUntil: "load" });
  await new Promise((done) => setTimeout(done, 1500));
  await page.screenshot({ path: `${folder}/${name}.png` });
}
await browser.close();
