// Measures the bridge beside raw messages and the bridges of others: `node run.mjs <taiku binary> [rounds]`.
//
// Every contender has a fresh page for every figure of every round, and the contenders take turns, so that what
// disturbs the machine disturbs all of them. Prints one JSON document; `cargo xtask bench` makes the table.

import { chromium } from "playwright-core";
import { servePeers } from "./src/peers.mjs";
import { bareFetch, panelAddress, prepare, startTaiku } from "./src/taiku.mjs";

const [binary, rounds = "5", only] = process.argv.slice(2);
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** How many calls: to warm up, one by one, all at once. A panel may send 2,000 at once, then 200 a second. */
const FIGURES = {
  small: { warm: 300, one: 400, many: 1000 },
  up: { warm: 20, one: 40, many: 16 },
  down: { warm: 10, one: 30, many: 16 },
};

const taiku = await startTaiku(binary);
const peers = await servePeers();
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
  ],
});

try {
  const context = await browser.newContext();
  const payload = await prepare(context, taiku);

  const peer = (name) => async (figure, counts) => {
    const page = await context.newPage();
    await page.goto(peers.host);
    await page.evaluate(([name, panel, payload]) => show(name, panel, payload), [name, peers.panel, payload]);
    const times = await measure(page, figure, counts);
    await page.close();
    return times;
  };
  const panel = (name) => async (figure, counts) => {
    const page = await context.newPage();
    await page.goto(panelAddress(taiku, name));
    await page.locator("iframe").waitFor();
    const times = await measure(page, figure, counts);
    if (figure === "down") times.fetch = await page.evaluate(bareFetch, counts);
    await page.close();
    return times;
  };
  const measure = async (page, figure, counts) => {
    const frame = page.frames().find((frame) => frame !== page.mainFrame());
    await frame.waitForFunction(() => "bench" in globalThis, undefined, { polling: 50 });
    const run = ([figure, counts, payload]) => bench.then((bench) => bench.run(figure, counts, payload));
    return frame.evaluate(run, [figure, counts, figure === "up" ? payload : undefined]);
  };

  const contenders = {
    raw: peer("raw"),
    "taiku window": panel("window"),
    "taiku port": panel("port"),
    penpal: peer("penpal"),
    comlink: peer("comlink"),
    "post-me": peer("post-me"),
    "ext-apps": peer("ext-apps"),
  };
  const times = {};
  for (let round = 0; round < Number(rounds); round++) {
    for (const [figure, counts] of Object.entries(FIGURES)) {
      for (const [name, contend] of Object.entries(contenders)) {
        if (only && name !== "raw" && !name.includes(only)) continue;
        (times[figure] ??= {})[name] ??= [];
        times[figure][name].push(await contend(figure, counts));
      }
    }
  }
  console.log(JSON.stringify({ browser: browser.version(), bytes: JSON.stringify(payload).length, times }));
} finally {
  await browser.close();
  peers.close();
  await taiku.stop();
}
