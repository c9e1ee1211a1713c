// taiku itself: the given binary with a fresh data folder, its demo provider, and a user who has allowed everything.

import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const PLUGIN = "bench.bridge";
/** Issues that make an answer of about 100 KB. */
const ISSUES = 285;
const PATIENCE = 60_000;

/** Starts `binary` and resolves with what a browser needs. */
export async function startTaiku(binary) {
  const folder = await mkdtemp(join(tmpdir(), "taiku-bench-"));
  const plugins = join(folder, "plugins");
  await cp(here("../plugin"), plugins, { recursive: true });
  await cp(here("measure.js"), join(plugins, PLUGIN, "measure.js"));
  await cp(here("../../../plugins/sdk/dist/taiku.js"), join(plugins, PLUGIN, "taiku.js"));
  const child = spawn(binary, ["serve", "--demo"], {
    env: {
      ...process.env,
      TAIKU_DATA_DIR: join(folder, "data"),
      TAIKU_PLUGIN_DIRS: plugins,
      TAIKU_LISTEN: "127.0.0.1:0",
      TAIKU_DEMO_LISTEN: "127.0.0.1:0",
    },
  });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const said = await words(child);
    return { origin: said.origin, email: said.email, password: said.password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads what it says until it listens. */
function words(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`taiku does not listen; it said: ${said}`)), PATIENCE);
    const hear = (chunk) => {
      said += chunk;
      const user = /sign in as (\S+) with (\S+)/.exec(said);
      const address = /listening on (http:\/\/localhost:\d+)/.exec(said);
      if (!user || !address) return;
      clearTimeout(late);
      resolve({ email: user[1], password: user[2], origin: address[1] });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", () => reject(new Error(`taiku ended; it said: ${said}`)));
  });
}

/** Signs in, allows the plugin what it asks for, connects the demo account and fills it; gives the 100 KB answer. */
export async function prepare(context, taiku) {
  const page = await context.newPage();
  await page.goto(taiku.origin);
  const api = (method, path, body) => page.evaluate(request, [method, `/api/v1${path}`, body]);
  await api("POST", "/session", { email: taiku.email, password: taiku.password });
  const { manifest, files } = await api("GET", `/plugins/${PLUGIN}`);
  const { version, permissions, integrations } = manifest;
  await api("PUT", `/plugins/${PLUGIN}/grant`, { version, files, permissions, integrations });

  const { redirectUrl } = await api("POST", "/toolkits/demo/connections", {});
  const consent = await context.newPage();
  await consent.goto(new URL(redirectUrl, taiku.origin).href);
  await consent.getByRole("link", { name: /continue to/i }).click();
  await consent.locator("[name=decision][value=allow]").first().click();
  // The callback page closes itself, or stays when it may not.
  await page.waitForFunction(
    async () => {
      const answer = await fetch("/api/v1/connections");
      return (await answer.json()).connections.some((connection) => connection.status === "ACTIVE");
    },
    undefined,
    { polling: 200, timeout: PATIENCE },
  );
  await consent.close().catch(() => {});
  const body = "What happens, what should happen, and how to make it happen. ".repeat(3);
  for (let i = 0; i < ISSUES; i++) {
    await api("POST", "/toolkits/demo/tools/DEMO_CREATE_AN_ISSUE", { arguments: { title: `Issue ${i}`, body } });
  }
  const payload = await api("POST", "/toolkits/demo/tools/DEMO_LIST_ISSUES", { arguments: {} });
  await page.close();
  return payload;
}

/** Runs in the page. */
async function request([method, path, body]) {
  const headers = { "x-taiku-request": "1", accept: "application/json" };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** The address of one of the plugin's panels. */
export const panelAddress = (taiku, panel) => `${taiku.origin}/panel/${PLUGIN}/${panel}`;

/** What the host page's own fetch of the 100 KB answer takes, measured as the panels measure their calls. */
export async function bareFetch({ warm, chunks, many }) {
  const call = async () => {
    const answer = await fetch("/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES", {
      method: "POST",
      headers: {
        "x-taiku-request": "1",
        accept: "application/json",
        "content-type": "application/json",
        "taiku-plugin": "bench.bridge",
      },
      body: '{"arguments":{}}',
    });
    return answer.text();
  };
  for (let i = 0; i < warm; i++) await call();
  const one = [];
  for (let i = 0; i < chunks; i++) {
    const start = performance.now();
    await call();
    one.push(performance.now() - start);
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: many }, call));
  return { one, many: [(performance.now() - start) / many] };
}
