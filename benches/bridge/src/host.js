// The page around the peers' panels. What it answers is what taiku answers: a role, nothing, or the given JSON.

import * as comlink from "comlink";
import { WindowMessenger, connect } from "penpal";
import { ParentHandshake, WindowMessenger as PostMeMessenger } from "post-me";
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

let payload;
const answers = {
  small: () => ({ role: "admin", userId: "0123456789abcdef0123456789abcdef" }),
  up: () => null,
  down: () => payload,
};

const peers = {
  raw(frame) {
    window.addEventListener("message", (event) => {
      const { type, id, method } = event.data;
      if (event.source !== frame || type !== "raw:request") return;
      frame.postMessage({ type: "raw:response", id, result: answers[method]() }, "*");
    });
  },
  "raw port"(frame) {
    window.addEventListener("message", (event) => {
      if (event.source !== frame) return;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => {
        const { id, method } = JSON.parse(data);
        port1.postMessage(JSON.stringify({ type: "raw:response", id, result: answers[method]() }));
      };
      frame.postMessage("port", "*", [port2]);
    });
  },
  penpal(frame) {
    connect({ messenger: new WindowMessenger({ remoteWindow: frame, allowedOrigins: ["*"] }), methods: answers });
  },
  comlink(frame) {
    comlink.expose(answers, comlink.windowEndpoint(frame, window, "*"));
  },
  "post-me"(frame) {
    const messenger = new PostMeMessenger({ localWindow: window, remoteWindow: frame, remoteOrigin: "*" });
    ParentHandshake(messenger, answers);
  },
  "ext-apps"(frame) {
    const bridge = new AppBridge(null, { name: "bench", version: "1.0.0" }, { serverTools: {} });
    bridge.oncalltool = async ({ name }) => ({ content: [], structuredContent: answers[name]() ?? {} });
    bridge.connect(new PostMessageTransport(frame, frame));
  },
};

/** Shows a peer's panel as taiku shows one: a sandboxed frame of another site. */
globalThis.show = (peer, origin, given) => {
  payload = given;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.src = `${origin}/panel.html#${peer}`;
  const load = new Promise((resolve) => frame.addEventListener("load", resolve));
  document.body.append(frame);
  peers[peer](frame.contentWindow);
  return load.then(() => undefined);
};
