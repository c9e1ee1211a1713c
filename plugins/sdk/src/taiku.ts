import type { Taiku } from "./api.js";
import { TaikuError } from "./error.js";
import { follow } from "./follow.js";
import { localStorage } from "./local_storage.js";
import { call, on, ready } from "./wire.js";

export { TaikuError };

/** The SDK. */
export const taiku: Taiku = {
  TaikuError,
  ready,
  call,
  on,
  toast: (message, kind, duration) => call("showToast", { message, kind, duration }),

  integrations: {
    list: async () => (await call("integrations.list")).connections,
    active: async (toolkit) =>
      (await taiku.integrations.list()).filter(
        (connection) => connection.toolkit === toolkit.toLowerCase() && connection.status === "ACTIVE",
      ),
    connect: (toolkit, callbackUrl) => call("integrations.connect", { toolkit, callbackUrl }),
    tools: async (toolkit, options) => (await call("integrations.tools", { toolkit, ...options })).tools,
    execute: (toolkit, action, args, options) =>
      call("integrations.execute", { toolkit, action, arguments: args, ...options }),
  },

  session: {
    get: () => call("getSession"),
    role: () => call("getUserRole"),
  },

  userData: {
    get: (key) => call("getUserData", { key }),
    set: (key, value) => call("setUserData", { key, value }),
  },

  kv: {
    get: (key) => call("kv.get", { key }),
    set: (key, value) => call("kv.set", { key, value }),
    delete: (key) => call("kv.delete", { key }),
    list: async (options) => (await call("kv.list", options)).keys,
  },

  storage: {
    read: (name, encoding) => call("storage.read", { name, encoding }),
    write: (name, value, encoding) => call("storage.write", { name, value, encoding }),
    delete: (name) => call("storage.delete", { name }),
    list: async (options) => (await call("storage.list", options)).files,
  },

  ui: {
    open: (panelId, size) => call("openPanel", { panelId, ...size }),
    close: (panelId) => call("closePanel", { panelId }),
    resize: (size) => call("resizePanel", size),
    badge: (actionId, count) => call("setBadge", { actionId, count }),
    notify: (title, body, tag) => call("sendNotification", { title, body, tag }),
    chime: () => call("playSound", { sound: "chime" }),
    follow,
  },

  broadcast: (type, data) => call("broadcastEvent", { type, data }),
  localStorage,
};

export default taiku;
