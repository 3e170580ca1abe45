// Prints pages as PDF: headline and all rows are there, and no button.
// usage: node print.mjs BASE    (TOKEN in the environment)
import { launch, report, require } from "./browser.mjs";

const { getDocument } = await import(require.resolve("pdfjs-dist/legacy/build/pdf.mjs"));
const base = process.argv[2], faults = [];
const { open, close } = await launch(base, faults);
// Letters alone: digits of one width have no characters of their own in a PDF.
const plain = (text) => text.normalize("NFKC").replace(/[^A-Za-z]/g, "");
for (const [path, rows] of [["/", "tbody a[href^='/i/']"], ["/i/lake-orders", ".tests li > span:nth-of-type(1), dd, pre"], ["/runs", "tbody a"], ["/report", "tbody th"]]) {
  for (const javascript of [true, false]) {
    const page = await open(path, { javascript });
    const shown = await page.evaluate((rows) => ({
      headline: document.querySelector("h1").textContent,
      rows: [...document.querySelectorAll(rows)].filter((one) => !one.closest("details")).map((one) => one.textContent),
      buttons: [...document.querySelectorAll("button, summary.btn")].map((one) => one.textContent),
    }), rows);
    await page.emulateMediaType("print");
    const seen = await page.evaluate(() => [...document.querySelectorAll("button, input, select, summary.btn")].filter((one) => one.checkVisibility()).map((one) => one.textContent));
    if (seen.length) faults.push(`${path}: printed buttons and fields: ${seen}`);
    const folded = await page.evaluate(() => [...document.querySelectorAll("details:not(.act details) pre")].filter((one) => !one.checkVisibility({ contentVisibilityAuto: true })).length);
    if (folded) faults.push(`${path}: ${folded} folded parts are not printed`);
    const { numPages, getPage } = await getDocument({ data: new Uint8Array(await page.pdf({ format: "A4" })), verbosity: 0 }).promise.then((pdf) => ({ numPages: pdf.numPages, getPage: (at) => pdf.getPage(at) }));
    let text = "";
    for (let at = 1; at <= numPages; at += 1) text += (await (await getPage(at)).getTextContent()).items.map((item) => item.str).join("");
    const printed = plain(text), missed = shown.rows.filter((row) => !printed.includes(plain(row)));
    if (!printed.includes(plain(shown.headline))) faults.push(`${path}: the headline is not printed`);
    if (missed.length) faults.push(`${path}: ${missed.length} of ${shown.rows.length} rows are not printed: ${missed.slice(0, 3).join(" | ")}`);
    if (!shown.rows.length) faults.push(`${path}: no rows`);
    await page.close();
  }
}
await close();
report(faults, "4 pages printed");
