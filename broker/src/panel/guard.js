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
  if (host !== own) host.postMessage({ type: "taiku:hello", nonce }, "*");
})();
