// One of many panels that call all the time.

const EVERY_MS = 20;
globalThis.busy = { answered: 0, refused: 0 };

window.addEventListener("message", (event) => {
  if (event.source !== window.parent) return;
  const message = event.data;
  if (message.type === "taiku:response") busy[message.error ? "refused" : "answered"]++;
  if (message.type !== "taiku:init") return;
  const { pluginId, panelId, authToken } = message;
  let counter = 0;
  setInterval(() => {
    const id = `b${++counter}`;
    const request = { type: "taiku:request", id, pluginId, panelId, authToken, method: "getUserRole", params: {} };
    window.parent.postMessage(request, "*");
  }, EVERY_MS);
});
