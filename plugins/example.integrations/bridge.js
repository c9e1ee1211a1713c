// The call pattern of the bridge: a request goes to the host page, its answer comes back under the same id.
// What is here works in every host of the protocol; copy it into your own plugin.
"use strict";

const host = window.parent;
const identity = { pluginId: "", panelId: "", authToken: "" };
const ANSWER_MS = 20000;
let calls = 0;

/** Calls a method of the host. Resolves with its result, rejects with the sentence that says why not. */
function call(method, params) {
  const id = `call_${++calls}`;
  return new Promise((resolve, reject) => {
    const settle = (finish) => {
      window.removeEventListener("message", listen);
      clearTimeout(timer);
      finish();
    };
    const listen = ({ source, data }) => {
      if (source !== host || data?.type !== "taiku:response" || data.id !== id) return;
      settle(() => (data.error ? reject(new Error(data.error)) : resolve(data.result)));
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error("The host did not answer within 20 seconds."))),
      ANSWER_MS,
    );
    window.addEventListener("message", listen);
    host.postMessage({ type: "taiku:request", id, ...identity, method, params }, "*");
  });
}

// Calls made before this arrives carry an empty identity; the host knows the panel by its window.
window.addEventListener("message", ({ source, data }) => {
  if (source !== host || data?.type !== "taiku:init") return;
  identity.pluginId = data.pluginId;
  identity.panelId = data.panelId ?? "";
  identity.authToken = data.authToken ?? "";
  if (data.theme === "light" || data.theme === "dark") {
    document.documentElement.dataset.theme = data.theme;
  }
});
