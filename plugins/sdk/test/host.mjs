// A host that the SDK runs in without a browser: it writes down what arrives and answers as a test tells it.

import { readFileSync } from "node:fs";
import vm from "node:vm";

const SCRIPT = new vm.Script(readFileSync(new URL("../dist/taiku.js", import.meta.url), "utf8"));

export const INIT = {
  type: "taiku:init",
  pluginId: "my-org.first",
  panelId: "main",
  sessionId: "s",
  authToken: "secret",
  protocolVersion: 1,
  theme: "dark",
  locale: "de-CH",
  permissions: ["integrations.read"],
  integrations: ["demo"],
};

/** Lets everything that is due in microtasks happen. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export class Host {
  /** What came over the window, as it came. */
  overWindow = [];
  /** What came over the port, as it came. */
  overPort = [];
  /** Errors that nobody caught. */
  reported = [];
  #now = 0;
  #timers = [];
  #listeners = [];

  constructor({ framed = true } = {}) {
    const parent = { postMessage: (message, target) => this.overWindow.push({ message: structuredClone(message), target }) };
    const root = { dataset: {}, style: {}, lang: "" };
    const window = { addEventListener: (type, listener) => type === "message" && this.#listeners.push(listener) };
    window.parent = framed ? parent : window;
    this.parent = window.parent;
    this.root = root;
    this.window = window;
    const context = {
      window,
      document: { documentElement: root },
      performance: { now: () => this.#now },
      setTimeout: (run, delay) => this.#timers.push({ run, at: this.#now + delay }) && this.#timers.at(-1),
      clearTimeout: (timer) => (this.#timers = this.#timers.filter((other) => other !== timer)),
      queueMicrotask,
      reportError: (error) => this.reported.push(error),
    };
    SCRIPT.runInNewContext(context);
    this.taiku = context.taiku;
  }

  /** Sends a message over the window. */
  post(data, { source = this.parent, ports = [] } = {}) {
    // A message is a copy, made of objects of the document that hears it.
    for (const listener of this.#listeners) listener({ source, data: structuredClone(data), ports });
  }

  /** Introduces the panel; without a port, as hosts do that have none. */
  init({ port = true } = {}) {
    this.port = port ? { postMessage: (message) => this.overPort.push(message) } : undefined;
    this.post(INIT, { ports: port ? [this.port] : [] });
  }

  /** Every request that came over the port, one by one. */
  requests() {
    return this.overPort.flatMap((text) => JSON.parse(text));
  }

  /** The last request over the port, once it is there. */
  async request() {
    await settle();
    return this.requests().at(-1);
  }

  /** Answers over the port. */
  answer(data) {
    this.port.onmessage({ data });
  }

  /** Answers the last request. */
  async answerLast(outcome) {
    const { id } = await this.request();
    this.answer({ type: "taiku:response", id, ...outcome });
  }

  /** Lets time pass. */
  async pass(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      await settle();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  get timers() {
    return this.#timers.length;
  }
}
