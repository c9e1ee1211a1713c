import assert from "node:assert/strict";
import { test } from "node:test";
import { Host, settle } from "./host.mjs";

/** A host that keeps user data, and fails while `broken` says why. */
class Keeper extends Host {
  kept = {};
  broken = "";
  writes = 0;

  constructor(kept = {}) {
    super();
    this.kept = kept;
    this.port = {
      postMessage: (text) => {
        for (const { id, method, params } of [JSON.parse(text)].flat()) {
          queueMicrotask(() => this.answer({ type: "taiku:response", id, ...this.#keep(method, params) }));
        }
      },
    };
    this.post({ type: "taiku:init" }, { ports: [this.port] });
  }

  #keep(method, { key, value }) {
    if (method === "getUserData") return { result: this.kept[key] ?? null };
    if (this.broken) return { error: this.broken, code: "quota_exceeded" };
    this.writes += 1;
    this.kept[key] = value;
    return { result: null };
  }
}

test("what was kept is read at once, what is set is kept a little later, in one write", async () => {
  const host = new Keeper({ localStorage: { a: "1", b: "2" } });
  const storage = await host.taiku.localStorage();
  assert.deepEqual([storage.length, storage.getItem("a"), storage.getItem("c"), storage.key(1), storage.key(2)], [2, "1", null, "b", null]);
  storage.setItem("a", 3);
  storage.removeItem("b");
  storage.setItem("c", "4");
  assert.deepEqual([storage.getItem("a"), storage.getItem("b")], ["3", null]);
  assert.deepEqual(host.kept.localStorage, { a: "1", b: "2" });
  await host.pass(500);
  await settle();
  assert.deepEqual([host.kept.localStorage, host.writes], [{ a: "3", c: "4" }, 1]);
  storage.clear();
  await storage.flush();
  assert.deepEqual([host.kept.localStorage, storage.length, host.writes], [{}, 0, 2]);
  await storage.flush();
  await host.pass(1000);
  assert.equal(host.writes, 2, "nothing changed, so nothing is written");
});

test("what another panel changed meanwhile stays", async () => {
  const host = new Keeper();
  const storage = await host.taiku.localStorage();
  host.kept.localStorage = { theirs: "1" };
  storage.setItem("mine", "2");
  await storage.flush();
  assert.deepEqual(host.kept.localStorage, { theirs: "1", mine: "2" });
});

test("a failed write is told, and goes with the next one", async () => {
  const host = new Keeper();
  const heard = [];
  const storage = await host.taiku.localStorage({ onError: (error) => heard.push(error.code) });
  host.broken = "The plugin has used all of its space.";
  storage.setItem("a", "1");
  storage.setItem("b", "1");
  await host.pass(500);
  await settle();
  assert.deepEqual(heard, ["quota_exceeded"]);
  await assert.rejects(storage.flush(), { code: "quota_exceeded" });
  host.broken = "";
  storage.setItem("b", "2");
  await storage.flush();
  assert.deepEqual(host.kept.localStorage, { a: "1", b: "2" });
});

test("a failed write that nobody hears is an uncaught error", async () => {
  const host = new Keeper();
  const storage = await host.taiku.localStorage();
  host.broken = "full";
  storage.setItem("a", "1");
  await host.pass(500);
  await settle();
  assert.deepEqual(host.reported.map(({ message }) => message), ["full"]);
});

test("what changes while a write runs is kept by one more", async () => {
  const host = new Keeper();
  const storage = await host.taiku.localStorage();
  storage.setItem("a", "1");
  const first = storage.flush();
  storage.setItem("a", "2");
  await Promise.all([first, storage.flush()]);
  assert.deepEqual([host.kept.localStorage, host.writes], [{ a: "2" }, 2]);
});

test("it can stand in the place of the browser's, under another key", async () => {
  const host = new Keeper({ mine: { a: "1" } });
  const storage = await host.taiku.localStorage({ key: "mine", install: true });
  assert.equal(host.window.localStorage, storage);
  assert.equal(host.window.localStorage.getItem("a"), "1");
});
