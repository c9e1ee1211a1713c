// The panels of the peers: which one is in the address.

import * as comlink from "comlink";
import { WindowMessenger, connect } from "penpal";
import { ChildHandshake, WindowMessenger as PostMeMessenger } from "post-me";
import { App, PostMessageTransport } from "@modelcontextprotocol/ext-apps";

const peers = {
  /** Plain messages with the fields of taiku's, echoed by the page. */
  async raw() {
    const calls = new Map();
    let counter = 0;
    window.addEventListener("message", (event) => {
      if (event.source !== window.parent) return;
      const call = calls.get(event.data.id);
      if (!call) return;
      calls.delete(event.data.id);
      call(event.data.result);
    });
    const identity = { pluginId: "bench.bridge", panelId: "window", authToken: "0".repeat(64) };
    const request = (method, params) =>
      new Promise((resolve) => {
        const id = `w${++counter}`;
        calls.set(id, resolve);
        window.parent.postMessage({ type: "raw:request", id, ...identity, method, params }, "*");
      });
    return {
      small: () => request("small", {}),
      up: (data) => request("up", { data }),
      down: () => request("down", {}),
    };
  },

  /** The same as text over a port: what the browser itself takes, and no bridge can be faster. */
  async "raw port"() {
    const port = await new Promise((resolve) => {
      window.addEventListener("message", (event) => resolve(event.ports[0]), { once: true });
      window.parent.postMessage("hello", "*");
    });
    const calls = new Map();
    let counter = 0;
    port.onmessage = (event) => {
      const { id, result } = JSON.parse(event.data);
      calls.get(id)?.(result);
      calls.delete(id);
    };
    const request = (method, params) =>
      new Promise((resolve) => {
        const id = `p${++counter}`;
        calls.set(id, resolve);
        port.postMessage(JSON.stringify({ type: "raw:request", id, method, params }));
      });
    return {
      small: () => request("small", {}),
      up: (data) => request("up", { data }),
      down: () => request("down", {}),
    };
  },

  async penpal() {
    const messenger = new WindowMessenger({ remoteWindow: window.parent, allowedOrigins: ["*"] });
    return connect({ messenger }).promise;
  },

  async comlink() {
    return comlink.wrap(comlink.windowEndpoint(window.parent));
  },

  async "post-me"() {
    const messenger = new PostMeMessenger({ localWindow: window, remoteWindow: window.parent, remoteOrigin: "*" });
    const remote = (await ChildHandshake(messenger)).remoteHandle();
    return Object.fromEntries(["small", "up", "down"].map((name) => [name, (data) => remote.call(name, data)]));
  },

  async "ext-apps"() {
    const app = new App({ name: "bench", version: "1.0.0" }, {}, { autoResize: false });
    await app.connect(new PostMessageTransport(window.parent, window.parent));
    const call = async (name, args) => (await app.callServerTool({ name, arguments: args })).structuredContent;
    return { small: () => call("small", {}), up: (data) => call("up", { data }), down: () => call("down", {}) };
  },
};

globalThis.bench = peers[decodeURIComponent(location.hash.slice(1))]().then(timed);
