// What every panel measures, whatever bridge it speaks. A classic script: panels load it with a tag.

/** The calls of a taiku panel. */
globalThis.taikuCalls = (request) => ({
  small: () => request("getUserRole", {}),
  up: (data) => request("getUserRole", { data }),
  down: () => request("integrations.execute", { toolkit: "demo", action: "DEMO_LIST_ISSUES", arguments: {} }),
});

/** Measures calls: milliseconds per call, one by one and all at once. */
globalThis.timed = (calls) => ({
  async run(name, { warm, one, many }, payload) {
    const call = () => calls[name](payload);
    for (let i = 0; i < warm; i++) await call();
    const alone = performance.now();
    for (let i = 0; i < one; i++) await call();
    const together = performance.now();
    const all = [];
    for (let i = 0; i < many; i++) all.push(call());
    await Promise.all(all);
    const end = performance.now();
    return { one: (together - alone) / one, many: (end - together) / many };
  },
});
