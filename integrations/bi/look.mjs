// Opens every page of the built site in a headless Chromium, light and dark, wide and phone; tells what is wrong, keeps screenshots and
// what stands in the cards.
//
//   node look.mjs SITE SHOTS [SCHEME]     SITE: the built site; SHOTS: the folder for the screenshots and found.json; SCHEME: only light, or dark
//
// Wrong is: an error box, an exception, a line on the console that is an error, a request that goes anywhere but to the site, a page wider than
// its window, a page without cards. The last line is "N looked at, M wrong".
import {createServer} from "node:http";
import {mkdir, readFile, writeFile} from "node:fs/promises";
import {extname, join, normalize} from "node:path";
import puppeteer from "puppeteer-core";
import config from "./observablehq.config.js";

const [site, shots, only] = process.argv.slice(2);
const types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"};
const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://site").pathname));
  const file = join(site, path === "/" ? "index.html" : extname(path) ? path : `${path}.html`);
  try {
    const body = await readFile(file);
    response.writeHead(200, {"content-type": types[extname(file)] ?? "application/octet-stream"}).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars"],
});
await mkdir(shots, {recursive: true});
const found = {};
let looked = 0, wrong = 0;

function complain(where, what) {
  wrong++;
  console.log(`wrong: ${where}: ${what}`);
}

/** Waits until the page has drawn all that it is made of. */
async function drawn(page) {
  const loaded = () => document.querySelectorAll("observablehq-loading").length === 0 && document.querySelectorAll("#observablehq-main .card").length > 0;
  await page.waitForFunction(loaded, {timeout: 90000, polling: 100});
}

/** Lets charts follow the width of their card. */
const settled = (page) => page.evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200)));

const page = await browser.newPage();
let where = "";
page.on("pageerror", (error) => complain(where, error.message));
page.on("console", (line) => line.type() === "error" && complain(where, line.text()));
page.on("request", (request) => /^(data|blob):/.test(request.url()) || request.url().startsWith(origin) || complain(where, `asks ${request.url()}`));
page.on("response", (response) => response.status() >= 400 && complain(where, `${response.status()} ${response.url()}`));
for (const {name, path} of config.pages) {
  where = name;
  await page.setViewport({width: 1280, height: 800});
  try {
    await page.goto(origin + (path === "/index" ? "/" : path), {waitUntil: "load", timeout: 90000});
    await drawn(page);
  } catch {
    complain(where, "it doesn't come to an end, or has nothing in it");
  }
  for (const [size, width, height] of [["wide", 1280, 800], ["phone", 390, 844]]) {
    await page.setViewport({width, height});
    for (const scheme of only ? [only] : ["light", "dark"]) {
      where = `${name}, ${scheme}, ${size}`;
      looked++;
      await page.emulateMediaFeatures([{name: "prefers-color-scheme", value: scheme}]);
      await settled(page);
      const seen = await page.evaluate(() => ({
        errors: [...document.querySelectorAll(".observablehq--error")].map((e) => e.textContent),
        wider: document.documentElement.scrollWidth - window.innerWidth,
        numbers: Object.fromEntries([...document.querySelectorAll(".big")].map((e) => [e.dataset.name, e.textContent])),
        empty: document.querySelectorAll(".empty").length,
        charts: document.querySelectorAll(".card svg").length,
        rows: document.querySelectorAll(".card tbody tr").length,
        said: [...document.querySelectorAll(".card")].map((e) => e.textContent.replace(/\s+/g, " ")).join(" | "),
      }));
      for (const error of seen.errors) complain(where, error);
      if (seen.wider > 0) complain(where, `${seen.wider} pixels wider than its window`);
      if (/\b(NaN|undefined|null|Infinity)\b/.test(seen.said)) complain(where, `says ${seen.said.match(/.{0,30}\b(NaN|undefined|null|Infinity)\b/)[0]}`);
      if (size === "wide") found[path.slice(1)] = seen;
      await page.screenshot({path: join(shots, `${path.slice(1)}-${scheme}-${size}.png`), fullPage: true});
    }
  }
}
await writeFile(join(shots, "found.json"), JSON.stringify(found, null, 1));
await browser.close();
server.close();
console.log(`${looked} looked at, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
