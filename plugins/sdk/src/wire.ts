// One listener for the window, one for the port, and the calls that wait for their answers.

import type { HostEvent, Init } from "./api.js";
import { TaikuError } from "./error.js";

/** A call that has no answer yet. Calls stand in the order in which they began. */
interface Waiting {
  method: string;
  since: number;
  resolve(result: any): void;
  reject(error: TaikuError): void;
}

/** The messages of the host that mean something here. */
type Message =
  | { type: "taiku:response"; id: string; result?: unknown; error?: string; code?: string }
  | { type: "taiku:event"; event: HostEvent }
  | ({ type: "taiku:init"; authToken?: string } & Init);

/** Longer than the host takes for any answer, in milliseconds. */
const PATIENCE = 20_000;
/** The host takes no longer message; a batch stays below it as well. In UTF-16 units. */
const LONGEST = 1 << 20;

const host = window.parent;
const waiting = new Map<string, Waiting>();
const listeners = new Map<string, Set<(data: any, event: HostEvent) => void>>();

let calls = 0;
let watched = false;
/** Messages as JSON text that leave with the others of this turn, or once the host has introduced itself. */
let queue: string[] = [];
/** How the queue leaves; not known before init. */
let send: ((texts: string[]) => void) | undefined;
let introduce: (init: Init) => void;

/** Resolves with the panel's identity. */
export const ready = new Promise<Init>((resolve) => (introduce = resolve));

/** Calls a method. What is sent is what the parameters are now. */
export function call(method: string, params?: unknown): Promise<any> {
  return new Promise((resolve, reject) => {
    if (host === window) throw new TaikuError("This page is open outside of a host.", "no_host");
    const id = `s${++calls}`;
    const text = written({ type: "taiku:request", id, method, params });
    waiting.set(id, { method, since: performance.now(), resolve, reject });
    watch();
    if (queue.push(text) === 1) queueMicrotask(flush);
  });
}

/** Hears events. */
export function on(type: string, listener: (data: any, event: HostEvent) => void): () => void {
  const those = listeners.get(type) ?? new Set();
  listeners.set(type, those.add(listener));
  return () => void those.delete(listener);
}

function written(message: object): string {
  let text;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new TaikuError(`The parameters cannot be written as JSON: ${(error as Error).message}`, "bad_message");
  }
  if (text.length > LONGEST) throw new TaikuError("The parameters are longer than 1 MiB.", "bad_message");
  return text;
}

function flush(): void {
  if (send) send(queue.splice(0));
}

/** Sends texts over the port, as many at once as fit. The port belongs to this document, so it says who speaks. */
function overPort(port: MessagePort): (texts: string[]) => void {
  const post = (texts: string[]) => port.postMessage(texts.length > 1 ? `[${texts}]` : texts[0]);
  return (texts) => {
    let batch: string[] = [];
    let length = 0;
    for (const text of texts) {
      if ((length += text.length + 1) > LONGEST && batch.length) {
        post(batch);
        batch = [];
        length = text.length + 1;
      }
      batch.push(text);
    }
    if (batch.length) post(batch);
  };
}

/** Sends one message each over the window, with the identity that hosts without a port ask for. */
function overWindow({ pluginId, panelId, authToken }: { pluginId: string; panelId: string; authToken?: string }) {
  return (texts: string[]) => {
    for (const text of texts) host.postMessage({ ...JSON.parse(text), pluginId, panelId, authToken }, "*");
  };
}

function receive(message: Message | Message[] | null | undefined): void {
  if (Array.isArray(message)) return message.forEach(receive);
  if (message?.type === "taiku:response") answered(message);
  else if (message?.type === "taiku:event") happened(message.event);
}

function answered({ id, result, error, code }: Message & { type: "taiku:response" }): void {
  const call = waiting.get(id);
  if (!call) return;
  waiting.delete(id);
  if (error) call.reject(new TaikuError(error, code ?? "internal"));
  else call.resolve(result);
}

function happened(event: HostEvent): void {
  for (const type of [event.type, "*"]) {
    for (const listener of [...(listeners.get(type) ?? [])]) {
      // A listener that fails is seen in the console and keeps no other from hearing.
      try {
        listener(event.data, event);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** One timer for all: every call has the same patience, so the first of them is the first that is late. */
function watch(): void {
  const [first] = waiting.values();
  if (watched || !first) return;
  watched = true;
  setTimeout(() => {
    watched = false;
    const late = performance.now() - PATIENCE;
    for (const [id, call] of waiting) {
      if (call.since > late) break;
      waiting.delete(id);
      // Nobody waits for it any more, so it must not leave either. Calls are late in the order of the queue.
      if (!send) queue.shift();
      call.reject(new TaikuError(`The host did not answer ${call.method} within 20 seconds.`, "timeout"));
    }
    watch();
  }, Math.max(0, first.since + PATIENCE - performance.now()));
}

window.addEventListener("message", ({ source, data, ports: [port] }) => {
  if (source !== host) return;
  if (data?.type !== "taiku:init") return receive(data);
  if (send) return;
  const { type, authToken, ...init } = data as Message & { type: "taiku:init" };
  if (port) port.onmessage = ({ data }) => receive(typeof data === "string" ? JSON.parse(data) : data);
  send = port ? overPort(port) : overWindow({ ...init, authToken });
  introduce(init);
  flush();
});
