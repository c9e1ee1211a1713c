import assert from "node:assert/strict";
import { test } from "node:test";
import { Host, settle } from "./host.mjs";

/** Every convenience, what it calls, an answer of the host and what becomes of it. */
const CONVENIENCES = [
  [(t) => t.toast("hi", "success"), "showToast", { message: "hi", kind: "success" }, null, null],
  [(t) => t.integrations.list(), "integrations.list", undefined, { connections: [1] }, [1]],
  [
    (t) => t.integrations.active("Demo"),
    "integrations.list",
    undefined,
    { connections: [{ id: "1", toolkit: "demo", status: "ACTIVE" }, { id: "2", toolkit: "demo", status: "EXPIRED" }, { id: "3", toolkit: "github", status: "ACTIVE" }] },
    [{ id: "1", toolkit: "demo", status: "ACTIVE" }],
  ],
  [(t) => t.integrations.connect("demo"), "integrations.connect", { toolkit: "demo" }, { opened: true }, { opened: true }],
  [(t) => t.integrations.tools("demo", { limit: 3 }), "integrations.tools", { toolkit: "demo", limit: 3 }, { tools: [] }, []],
  [
    (t) => t.integrations.execute("demo", "DO", { a: 1 }, { idempotencyKey: "k" }),
    "integrations.execute",
    { toolkit: "demo", action: "DO", arguments: { a: 1 }, idempotencyKey: "k" },
    "verbatim",
    "verbatim",
  ],
  [(t) => t.session.get(), "getSession", undefined, { id: "1" }, { id: "1" }],
  [(t) => t.session.role(), "getUserRole", undefined, { role: "reader" }, { role: "reader" }],
  [(t) => t.userData.get("k"), "getUserData", { key: "k" }, null, null],
  [(t) => t.userData.set("k", [1]), "setUserData", { key: "k", value: [1] }, null, null],
  [(t) => t.kv.get("k"), "kv.get", { key: "k" }, 1, 1],
  [(t) => t.kv.set("k", 1), "kv.set", { key: "k", value: 1 }, null, null],
  [(t) => t.kv.delete("k"), "kv.delete", { key: "k" }, null, null],
  [(t) => t.kv.list({ prefix: "a" }), "kv.list", { prefix: "a" }, { keys: ["a1"] }, ["a1"]],
  [(t) => t.storage.read("f"), "storage.read", { name: "f" }, "x", "x"],
  [(t) => t.storage.write("f", "x"), "storage.write", { name: "f", value: "x" }, null, null],
  [(t) => t.storage.delete("f"), "storage.delete", { name: "f" }, null, null],
  [(t) => t.storage.list(), "storage.list", undefined, { files: [] }, []],
  [(t) => t.ui.open("p", { width: 3 }), "openPanel", { panelId: "p", width: 3 }, null, null],
  [(t) => t.ui.close(), "closePanel", {}, null, null],
  [(t) => t.ui.resize({ height: "fit" }), "resizePanel", { height: "fit" }, null, null],
  [(t) => t.ui.badge("a", 3), "setBadge", { actionId: "a", count: 3 }, null, null],
  [(t) => t.ui.notify("t", "b", "g"), "sendNotification", { title: "t", body: "b", tag: "g" }, null, null],
  [(t) => t.ui.chime(), "playSound", { sound: "chime" }, null, null],
  [(t) => t.broadcast("my.event", { a: 1 }), "broadcastEvent", { type: "my.event", data: { a: 1 } }, null, null],
];

for (const [act, method, params, result, expected] of CONVENIENCES) {
  test(`${act.toString().slice(7)} calls ${method}`, async () => {
    const host = new Host();
    host.init();
    const promise = act(host.taiku);
    const request = await host.request();
    assert.deepEqual([request.method, request.params], [method, params]);
    await host.answerLast({ result });
    assert.deepEqual(JSON.parse(JSON.stringify(await promise)), expected);
  });
}

test("the document follows theme and language on demand, until it is told to stop", async () => {
  const host = new Host();
  host.init();
  await settle();
  assert.deepEqual(host.root, { dataset: {}, style: {}, lang: "" }, "nothing happens by itself");
  const stop = host.taiku.ui.follow();
  await settle();
  assert.deepEqual(host.root, { dataset: { theme: "dark" }, style: { colorScheme: "dark" }, lang: "de-CH" });
  const event = (type, data) => host.post({ type: "taiku:event", event: { type, data, timestamp: 1 } });
  event("theme_changed", { theme: "light" });
  event("locale_changed", { locale: "fr" });
  assert.deepEqual(host.root, { dataset: { theme: "light" }, style: { colorScheme: "light" }, lang: "fr" });
  stop();
  event("theme_changed", { theme: "dark" });
  assert.equal(host.root.dataset.theme, "light");
});

test("the module and the script have the same surface", async () => {
  const host = new Host();
  const window = { addEventListener() {} };
  globalThis.window = Object.assign(window, { parent: window });
  const { default: all, taiku, TaikuError, ...rest } = await import("../dist/taiku.mjs");
  assert.deepEqual(rest, {});
  assert.equal(all, taiku);
  assert.equal(taiku.TaikuError, TaikuError);
  assert.equal(globalThis.taiku, undefined, "only the script makes a global");
  const names = (value) => Object.entries(value).flatMap(([name, member]) =>
    member?.constructor?.name === "Object" ? Object.keys(member).map((inner) => `${name}.${inner}`) : name);
  assert.deepEqual(names(taiku), names(host.taiku));
});
