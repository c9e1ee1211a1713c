// Measures the bridge beside raw messages and the bridges of others: `node run.mjs <taiku binary> [rounds]`.
//
// Every contender has a fresh page, and so a fresh allowance of messages, for every figure of every round, and the
// contenders take turns, so that what disturbs the machine disturbs all of them.

import { chromium } from "playwright-core";
import { manyPanels } from "./src/busy.mjs";
import { servePeers } from "./src/peers.mjs";
import { table } from "./src/table.mjs";
import { bareFetch, panelAddress, prepare, startTaiku } from "./src/taiku.mjs";

const [binary, rounds = "5"] = process.argv.slice(2);
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** How long one figure of one contender may take. */
const PATIENCE_MS = 120_000;

/** How long a panel and its page may take to meet. */
const MEETING_MS = 20_000;

/** What a promise gives in time; nothing when it is late or fails with the page that it was of. */
const within = async (ms, promise) => {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([promise.catch(() => undefined), late]).finally(() => clearTimeout(timer));
};

/** How many calls: to warm up, one by one (timed in chunks), all at once. A panel may send 2,000 at once, then 200 a second. */
const FIGURES = {
  small: { warm: 300, chunks: 20, chunk: 20, many: 1000 },
  up: { warm: 20, chunks: 40, chunk: 1, many: 16 },
  down: { warm: 10, chunks: 30, chunk: 1, many: 16 },
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
    const frame = await introduced(name, page, async () => {
      await page.goto(peers.host);
      await page.evaluate(([name, panel, payload]) => show(name, panel, payload), [name, peers.panel, payload]);
    });
    const times = await measure(name, frame, figure, counts);
    await page.close();
    return times;
  };
  const panel = (name) => async (figure, counts) => {
    const page = await context.newPage();
    const frame = await introduced(name, page, async () => {
      await page.goto(panelAddress(taiku, name));
      await page.locator("iframe").waitFor();
    });
    const times = await measure(name, frame, figure, counts);
    if (figure === "down") times.fetch = await page.evaluate(bareFetch, counts);
    await page.close();
    return times;
  };
  /** The frame of a page, once it has met its host. A peer whose handshake gave up on a busy machine may try again. */
  const introduced = async (name, page, open) => {
    for (let attempt = 0; attempt < 5; attempt++) {
      await open();
      const frame = page.frames().find((frame) => frame !== page.mainFrame());
      await frame.waitForFunction(() => "bench" in globalThis, undefined, { polling: 50 });
      const met = frame.evaluate(() => bench.then(() => true, () => false));
      if (await within(MEETING_MS, met)) return frame;
      await page.goto("about:blank");
    }
    throw new Error(`${name}: the panel and its page never met`);
  };
  const measure = async (name, frame, figure, counts) => {
    const run = ([figure, counts, payload]) => bench.then((bench) => bench.run(figure, counts, payload));
    const times = await within(PATIENCE_MS, frame.evaluate(run, [figure, counts, figure === "up" ? payload : undefined]));
    // An answer that never comes must end the run, not hold it.
    if (!times) throw new Error(`${name}: ${figure} did not end within ${PATIENCE_MS / 1000} s`);
    return times;
  };

  const contenders = {
    raw: peer("raw"),
    "raw port": peer("raw port"),
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
        (times[figure] ??= {})[name] ??= [];
        times[figure][name].push(await contend(figure, counts));
      }
    }
  }
  const busy = await manyPanels(context, taiku);
  const bytes = JSON.stringify(payload).length;
  for (const line of table({ browser: browser.version(), bytes, rounds, times, busy })) console.log(line);
} finally {
  await browser.close();
  peers.close();
  await taiku.stop();
}
