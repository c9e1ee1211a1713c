// Many open panels that all call the host: what the host's main thread feels of it.

import { panelAddress } from "./taiku.mjs";

const PANELS = 20;
const SECONDS = 10;

/** Opens the panels and watches the host page for a while. */
export async function manyPanels(context, taiku) {
  const page = await context.newPage();
  await page.goto(panelAddress(taiku, "busy-1"));
  await page.locator("iframe").first().waitFor();
  for (let n = 2; n <= PANELS; n++) {
    await page.evaluate(follow, panelAddress(taiku, `busy-${n}`));
    await page.waitForFunction((n) => document.querySelectorAll("iframe").length === n, n);
  }
  const panels = page.frames().filter((frame) => frame !== page.mainFrame());
  for (const panel of panels) await panel.waitForFunction(() => globalThis.busy?.answered > 0, undefined, { polling: 50 });

  const before = await counts(panels);
  const tasks = await page.evaluate(longTasks, SECONDS * 1000);
  const after = await counts(panels);
  await page.close();
  return {
    panels: panels.length,
    answered: (after.answered - before.answered) / SECONDS,
    refused: after.refused,
    tasks: tasks.length,
    longest: Math.max(0, ...tasks),
  };
}

async function counts(panels) {
  const all = await Promise.all(panels.map((panel) => panel.evaluate(() => busy)));
  const sum = (name) => all.reduce((total, one) => total + one[name], 0);
  return { answered: sum("answered"), refused: sum("refused") };
}

/** Runs in the page: goes to an address as a click on a link does, without leaving the page. */
function follow(address) {
  const link = document.createElement("a");
  link.href = address;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Runs in the page: how long each task was that took more than 50 ms, in milliseconds. */
function longTasks(wait) {
  return new Promise((resolve) => {
    const tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: "longtask" });
    setTimeout(() => {
      tasks.push(...observer.takeRecords().map((entry) => entry.duration));
      resolve(tasks);
    }, wait);
  });
}
