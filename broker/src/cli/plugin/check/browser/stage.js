// A host page for one panel that is being checked: it frames the panel as the real one does, introduces it, and has
// each of its calls decided by the program that serves this page.
"use strict";

const tell = (path, body) =>
  fetch(path + location.search, { method: "POST", body: JSON.stringify(body) }).then((answer) => answer.json());

async function stage() {
  const { address, nonce, init } = await tell("/panel", {});
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("allow", "");
  frame.setAttribute("referrerpolicy", "no-referrer");
  frame.width = 480;
  frame.height = 640;
  let hellos = 0;

  const answer = async ({ id, method, params }, send) => {
    const decided = await tell("/call", { method: `${method}`, params: params ?? {} });
    send({ type: "taiku:response", id, ...decided });
  };
  const toWindow = (message) => frame.contentWindow.postMessage(message, "*");
  const understand = (message, send) => {
    if (message?.type === "taiku:request") answer(message, send);
  };
  const greet = () => {
    const { port1, port2 } = new MessageChannel();
    // Over the port a message may be an object, the text of one, or the text of a list of them.
    port1.onmessage = ({ data }) => {
      const read = typeof data === "string" ? JSON.parse(data) : data;
      for (const message of [read].flat()) understand(message, (reply) => port1.postMessage(reply));
    };
    frame.contentWindow.postMessage(init, "*", [port2]);
    tell("/ready", {});
  };

  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data?.type === "taiku:hello") {
      hellos += 1;
      if (hellos > 1 || data.nonce !== nonce) tell("/left", {});
    } else if (data?.type === "taiku:ready" && hellos === 1) {
      greet();
    } else {
      understand(data, toWindow);
    }
  });
  frame.src = address;
  document.body.append(frame);
}

stage();
