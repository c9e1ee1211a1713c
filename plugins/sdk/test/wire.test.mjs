import assert from "node:assert/strict";
import { test } from "node:test";
import { Host, INIT, settle } from "./host.mjs";

const failure = (promise) => promise.then(() => assert.fail("it was to fail"), (error) => error);
/** Without the prototypes of the other context. */
const plain = (value) => JSON.parse(JSON.stringify(value));

test("calls wait for init and then leave together, as one text", async () => {
  const host = new Host();
  const first = host.taiku.call("getSession");
  host.taiku.call("showToast", { message: "hello" });
  await settle();
  assert.deepEqual([host.overWindow, host.overPort], [[], []]);
  host.init();
  assert.equal(host.overPort.length, 1);
  const requests = JSON.parse(host.overPort[0]);
  assert.deepEqual(requests.map(({ type, method, params }) => [type, method, params]), [
    ["taiku:request", "getSession", undefined],
    ["taiku:request", "showToast", { message: "hello" }],
  ]);
  host.answer({ type: "taiku:response", id: requests[0].id, result: { id: "s", name: "taiku" } });
  assert.deepEqual(plain(await first), { id: "s", name: "taiku" });
});

test("the calls of one turn are one batch, and a single call is no array", async () => {
  const host = new Host();
  host.init();
  for (let index = 0; index < 1000; index++) host.taiku.call("getShells");
  await settle();
  assert.equal(host.overPort.length, 1);
  assert.equal(new Set(host.requests().map(({ id }) => id)).size, 1000);
  host.taiku.call("getShells");
  await settle();
  assert.equal(JSON.parse(host.overPort[1]).method, "getShells");
});

test("a batch is never longer than a message may be", async () => {
  const host = new Host();
  host.init();
  const message = "x".repeat(400_000);
  for (let index = 0; index < 5; index++) host.taiku.call("showToast", { message });
  await settle();
  assert.deepEqual(host.overPort.map((text) => [JSON.parse(text)].flat().length), [2, 2, 1]);
  assert.ok(host.overPort.every((text) => text.length <= 1 << 20));
});

test("answers come as objects, as text and as a text of many", async () => {
  const host = new Host();
  host.init();
  const calls = [1, 2, 3, 4].map(() => host.taiku.call("getShells"));
  await settle();
  const [one, two, three, four] = host.requests().map(({ id }) => ({ type: "taiku:response", id, result: id }));
  host.answer(JSON.stringify([three, two]));
  host.answer(one);
  host.answer(JSON.stringify(four));
  assert.deepEqual(await Promise.all(calls), [one.id, two.id, three.id, four.id]);
});

test("without a port each call is a message over the window, with the identity", async () => {
  const host = new Host();
  host.init({ port: false });
  const call = host.taiku.call("integrations.tools", { toolkit: "demo" });
  host.taiku.call("getShells");
  await settle();
  assert.equal(host.overWindow.length, 2);
  const { message, target } = host.overWindow[0];
  assert.deepEqual(message, {
    type: "taiku:request",
    id: message.id,
    pluginId: "my-org.first",
    panelId: "main",
    authToken: "secret",
    method: "integrations.tools",
    params: { toolkit: "demo" },
  });
  assert.equal(target, "*");
  host.post({ type: "taiku:response", id: message.id, result: { tools: [] } });
  assert.deepEqual(plain(await call), { tools: [] });
});

test("what does not come from the host is not heard", async () => {
  const host = new Host();
  const heard = [];
  host.taiku.on("*", (_, event) => heard.push(event));
  host.post(INIT, { source: {} });
  const call = host.taiku.call("getShells");
  await settle();
  host.init();
  const { id } = host.requests()[0];
  host.post({ type: "taiku:response", id, result: "forged" }, { source: {} });
  host.post({ type: "taiku:event", event: { type: "x", data: {}, timestamp: 1 } }, { source: {} });
  host.answer({ type: "taiku:response", id, result: "true" });
  assert.equal(await call, "true");
  assert.deepEqual(heard, []);
});

test("the identity is given once and without its token", async () => {
  const host = new Host();
  host.init();
  host.post({ ...INIT, pluginId: "another" });
  const init = plain(await host.taiku.ready);
  const { type, authToken, ...expected } = INIT;
  assert.deepEqual(init, expected);
  host.taiku.call("getShells");
  assert.equal((await host.request()).method, "getShells");
  assert.deepEqual(host.overWindow, [], "the port of the first one stays in use");
});

test("an error is a sentence with a code", async () => {
  const host = new Host();
  host.init();
  const call = host.taiku.kv.set("a", 1);
  await host.answerLast({ error: "kv.set needs the permission kv.write.", code: "permission_missing" });
  const error = await failure(call);
  assert.ok(error instanceof host.taiku.TaikuError);
  assert.deepEqual([error.name, error.message, error.code], [
    "TaikuError",
    "kv.set needs the permission kv.write.",
    "permission_missing",
  ]);
  const other = host.taiku.kv.set("a", 1);
  await host.answerLast({ error: "from a host without codes" });
  assert.equal((await failure(other)).code, "internal");
});

test("what is no JSON or too long is refused before it leaves", async () => {
  const host = new Host();
  host.init();
  const cycle = {};
  cycle.cycle = cycle;
  for (const value of [10n, cycle, "x".repeat(1 << 20)]) {
    assert.equal((await failure(host.taiku.userData.set("a", value))).code, "bad_message");
  }
  await settle();
  assert.deepEqual(host.overPort, []);
});

test("parameters are sent as they were when the call was made", async () => {
  const host = new Host();
  host.init();
  const value = { count: 1 };
  host.taiku.userData.set("a", value);
  value.count = 2;
  assert.deepEqual((await host.request()).params, { key: "a", value: { count: 1 } });
});

test("a call is given up after 20 seconds, each at its own time", async () => {
  const host = new Host();
  host.init();
  const errors = [];
  host.taiku.call("getSession").catch((error) => errors.push(error));
  await host.pass(5_000);
  const late = host.taiku.call("getUserRole");
  late.catch((error) => errors.push(error));
  await host.pass(14_999);
  assert.equal(errors.length, 0);
  await host.pass(1);
  assert.deepEqual(errors.map(({ code, message }) => [code, message]), [
    ["timeout", "The host did not answer getSession within 20 seconds."],
  ]);
  await host.answerLast({ result: { role: "admin", userId: "1" } });
  assert.equal((await late).role, "admin");
  await host.pass(20_000);
  assert.equal(errors.length, 1);
  assert.equal(host.timers, 0, "no timer is left when nothing waits");
});

test("a call that was given up before init never leaves", async () => {
  const host = new Host();
  const early = failure(host.taiku.call("integrations.execute", { toolkit: "demo", action: "A" }));
  await host.pass(10_000);
  host.taiku.call("getSession").catch(() => {});
  await host.pass(10_000);
  assert.equal((await early).code, "timeout");
  host.init();
  assert.deepEqual(host.requests().map(({ method }) => method), ["getSession"]);
});

test("a late or unknown answer does nothing", async () => {
  const host = new Host();
  host.init();
  for (const data of [null, 7, "7", "null", {}, [], { type: "taiku:response" }, { type: "taiku:response", id: "s99" }]) {
    host.answer(data);
  }
  host.post(null);
  host.post("text");
  assert.deepEqual(host.reported, []);
});

test("outside of a host a call says so at once", async () => {
  const host = new Host({ framed: false });
  assert.equal((await failure(host.taiku.call("getSession"))).code, "no_host");
});

test("events reach their listeners until these are stopped", async () => {
  const host = new Host();
  const heard = [];
  const stop = host.taiku.on("theme_changed", ({ theme }, event) => heard.push([theme, event.timestamp]));
  host.taiku.on("theme_changed", () => {
    throw new Error("a listener's own fault");
  });
  host.taiku.on("*", (_, { type, source }) => heard.push([type, source]));
  const event = { type: "theme_changed", data: { theme: "light" }, timestamp: 5 };
  host.post({ type: "taiku:event", event });
  assert.deepEqual(heard, [["light", 5], ["theme_changed", undefined]]);
  assert.equal(host.reported[0].message, "a listener's own fault");
  stop();
  host.init();
  host.answer(JSON.stringify({ type: "taiku:event", event: { type: "my.event", data: {}, timestamp: 6, source: "b" } }));
  host.post({ type: "taiku:event", event });
  assert.deepEqual(heard.slice(2), [["my.event", "b"], ["theme_changed", undefined]]);
});
