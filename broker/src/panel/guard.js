(() => {
  "use strict";
  const own = window;
  const host = own.parent;
  const { apply } = Reflect;
  const stop = Event.prototype.stopImmediatePropagation;
  const readSource = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "source").get;

  // The walk up ends at the top window, which is its own parent.
  const isBelow = (source) => {
    for (let step = source; step; step = step.parent) {
      if (step === own) return true;
      if (step === step.parent) return false;
    }
    return false;
  };

  own.addEventListener(
    "message",
    (event) => {
      const source = apply(readSource, event, []);
      if (source !== host && !isBelow(source)) apply(stop, event, []);
    },
    true,
  );

  // Without a nonce, too: that is a document to which the panel has navigated, and the host has to know.
  const nonce = /^#taiku-([0-9A-Za-z_-]+)$/.exec(own.location.hash)?.[1] ?? "";
  if (host === own) return;
  const hello = (nonce) => host.postMessage({ type: "taiku:hello", nonce }, "*");
  hello(nonce);
  // `document.open` takes every listener off the window, the guard as well, and fires no event: what is written then
  // is another document.
  const root = document.documentElement;
  const opened = () => document.documentElement !== root && document.readyState === "loading" && hello("");
  new MutationObserver(opened).observe(document, { childList: true });
  // The document itself says that it has loaded. The frame's own event may be that of another one, which it has
  // navigated to and whose hello is still on its way.
  own.addEventListener("load", () => host.postMessage({ type: "taiku:ready" }, "*"));
  // Keys never leave a frame by themselves: these two let people who use a keyboard out. A page that uses one of them
  // itself prevents its default.
  own.addEventListener("keydown", ({ key, shiftKey, isTrusted, defaultPrevented }) => {
    if (!isTrusted || defaultPrevented || (key !== "Escape" && key !== "F6")) return;
    host.postMessage({ type: "taiku:leave", key, back: shiftKey }, "*");
  });
})();
