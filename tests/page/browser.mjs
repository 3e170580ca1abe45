// Headless Chromium behind a proxy that passes on requests to the daemon alone. It refuses all other origins, and has the browser report each
// violation of the content security policy.
import { createServer, request as ask } from "node:http";
import { createRequire } from "node:module";

export const require = createRequire(`${process.env.REVALIDATED_NODE}/`);
const puppeteer = require("puppeteer-core");
// What the browser asks for by itself, whatever page is open; refused too.
const BROWSERS_OWN = /^(http:\/\/)?((clients2|accounts|www|clients\d?)\.google\.com|[a-z0-9.-]*\.gvt1\.com|(update|content-autofill|optimizationguide-pa|safebrowsing)\.googleapis\.com)[:/]/;
const REPORTS = "/violations-are-reported-here";

const proxied = async (base) => {
  const { host, hostname, port } = new URL(base), found = [];
  const server = createServer((request, response) => {
    const [, to, path] = /^http:\/\/([^/]*)(.*)$/.exec(request.url) ?? [];
    if (to !== host && !BROWSERS_OWN.test(request.url)) found.push(`request to ${request.url}`);
    if (to !== host) return response.writeHead(403).end();
    if (path === REPORTS) {
      request.on("data", (part) => found.push(`violation of the policy: ${part}`));
      return response.writeHead(204).end();
    }
    const onward = ask({ hostname, port, method: request.method, path, headers: request.headers }, (answer) => {
      const headers = { ...answer.headers }, policy = "content-security-policy";
      if (headers[policy]) headers[policy] += `; report-uri ${REPORTS}`;
      response.writeHead(answer.statusCode, headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    if (!BROWSERS_OWN.test(request.url)) found.push(`connection to ${request.url}`);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { found, at: `127.0.0.1:${server.address().port}`, close: () => { server.close(); server.closeAllConnections(); } };
};

// Starts a browser; `faults` gets what the proxy refuses, and messages of pages that none `expects`.
export const launch = async (base, faults, expects = /^$/) => {
  const proxy = await proxied(base);
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", `--proxy-server=${proxy.at}`, "--proxy-bypass-list=<-loopback>"],
  });
  const open = async (path, { javascript = true, width = 1440, height = 900, scale = 1, token = process.env.TOKEN, scheme = "light" } = {}) => {
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(javascript);
    if (token) await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
    await page.setViewport({ width, height, deviceScaleFactor: scale });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const at = `${path} ${scheme} ${width}`;
    page.on("console", (message) => { if (!expects.test(message.text() + message.location().url)) faults.push(`${at}: console: ${message.text()}`); });
    page.on("pageerror", (error) => faults.push(`${at}: ${error}`));
    page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("data:")) faults.push(`${at}: request to ${request.url()}`); });
    await page.goto(base + path, { waitUntil: "load" });
    return page;
  };
  const close = async () => {
    await browser.close();
    proxy.close();
    faults.push(...new Set(proxy.found));
  };
  return { browser, open, close };
};

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
export const report = (faults, what) => {
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(`${what}, ${faults.length} faults`);
  process.exit(faults.length ? 1 : 0);
};
