// A panel that knows nothing better: plain messages to the window above, one listener for their answers.

const calls = new Map();
let counter = 0;
let introduced;
const ready = new Promise((resolve) => (introduced = resolve));

window.addEventListener("message", (event) => {
  if (event.source !== window.parent) return;
  const message = event.data;
  if (message.type === "taiku:init") return introduced(message);
  const call = calls.get(message.id);
  if (!call) return;
  calls.delete(message.id);
  if (message.error) call.reject(new Error(message.error));
  else call.resolve(message.result);
});

async function start() {
  const { pluginId, panelId, authToken } = await ready;
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      const id = `w${++counter}`;
      calls.set(id, { resolve, reject });
      window.parent.postMessage({ type: "taiku:request", id, pluginId, panelId, authToken, method, params }, "*");
    });
  return taikuCalls(request);
}

globalThis.bench = start().then(timed);
