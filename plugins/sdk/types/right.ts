// What must compile. Nothing here is run.

import sdk, { taiku, TaikuError, type Connection, type HostEvent, type Init } from "@taiku/sdk";
import { taiku as besideTheFile } from "../dist/taiku.mjs";
import * as built from "../src/taiku.js";
import type * as declared from "@taiku/sdk";

// The code has every export that its declaration promises.
export const same: Omit<typeof declared, "TaikuError"> & { TaikuError: unknown } = built;
export const one: declared.Taiku = besideTheFile ?? sdk;

export async function methods(): Promise<void> {
  const { connections } = await taiku.call("integrations.list");
  const first: Connection | undefined = connections[0];
  await taiku.call("integrations.tools", { toolkit: first?.toolkit ?? "demo", limit: 10 });
  const { opened, redirectUrl } = await taiku.call("integrations.connect", { toolkit: "demo" });
  if (!opened) console.log(redirectUrl.length);
  await taiku.call("kv.list");
  await taiku.call("resizePanel", { height: "fit" });
  const role: "admin" | "writer" | "reader" = (await taiku.session.role()).role;
  await taiku.userData.set("draft", { role, at: [1, 2, { deep: null }], left: undefined });
  const draft = await taiku.userData.get<{ text: string }>("draft");
  console.log(draft?.text.length);
}

export async function tools(): Promise<number> {
  const issue = await taiku.integrations.execute<{ number: number }>("demo", "DEMO_CREATE_AN_ISSUE", { title: "Hello" });
  await taiku.integrations.execute("demo", "DEMO_CLOSE_AN_ISSUE", { number: issue.number }, { idempotencyKey: "k" });
  return issue.number;
}

declare module "@taiku/sdk" {
  interface Events {
    "my-org.saved": { path: string };
  }
}

export function events(): void {
  const stop: () => void = taiku.on("theme_changed", ({ theme }) => theme === "dark");
  taiku.on("my-org.saved", ({ path }, event: HostEvent) => console.log(path.length, event.source));
  taiku.on("another.event", (data) => console.log(data["anything"]));
  void taiku.broadcast("my-org.saved", { path: "a" });
  taiku.ui.follow()();
  stop();
}

export async function failures(): Promise<string> {
  const init: Init = await taiku.ready;
  try {
    await taiku.toast(`Hello from ${init.panelId}`, "success");
  } catch (error) {
    if (error instanceof TaikuError && error.code === "permission_missing") return error.message;
    if (error instanceof taiku.TaikuError && error.code === "a_code_of_tomorrow") return error.message;
  }
  const storage: Storage = await taiku.localStorage({ install: true });
  return storage.getItem("a") ?? "";
}
