// `localStorage` for a document that has none: one value of the user data holds all of it.

import type { LocalStorage, LocalStorageOptions } from "./api.js";
import { call } from "./wire.js";

/** How long a write waits for others to join it, in milliseconds. */
const PAUSE = 500;

type Items = Record<string, string>;

export async function localStorage(options: LocalStorageOptions = {}): Promise<LocalStorage> {
  const { key = "localStorage", install, onError = reportError } = options;
  const read = async () => new Map(Object.entries(((await call("getUserData", { key })) ?? {}) as Items));
  const items = await read();
  /** What was changed and is not kept yet; null where it was removed. */
  let changes = new Map<string, string | null>();
  let writing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const change = (name: string, value: string | null) => {
    if (value === null) items.delete(name);
    else items.set(name, value);
    changes.set(name, value);
    timer ??= setTimeout(() => flush().catch(onError), PAUSE);
  };

  /** Reads again before it writes, so that what another panel changed meanwhile stays. */
  const write = async () => {
    const mine = changes;
    changes = new Map();
    try {
      const kept = await read();
      for (const [name, value] of mine) value === null ? kept.delete(name) : kept.set(name, value);
      await call("setUserData", { key, value: Object.fromEntries(kept) });
    } catch (error) {
      // They go with the next write, unless they were changed again.
      changes = new Map([...mine, ...changes]);
      throw error;
    }
  };

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    // One write at a time; what changes while it runs goes with one more.
    while (writing || changes.size) {
      writing ??= write().finally(() => (writing = undefined));
      await writing;
    }
  };

  const shim: LocalStorage = {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (name) => items.get(String(name)) ?? null,
    setItem: (name, value) => change(String(name), String(value)),
    removeItem: (name) => {
      if (items.has(String(name))) change(String(name), null);
    },
    clear: () => [...items.keys()].forEach((name) => change(name, null)),
    flush,
  };
  if (install) Object.defineProperty(window, "localStorage", { value: shim, configurable: true });
  return shim;
}
