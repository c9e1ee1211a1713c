// What every panel measures, whatever bridge it speaks. A classic script: panels load it with a tag.

/** The calls of a taiku panel. */
globalThis.taikuCalls = (request) => ({
  small: () => request("getUserRole", {}),
  // The host answers it by itself and leaves alone what it does not know.
  up: (data) => request("getUserRole", { data }),
  down: () => request("integrations.execute", { toolkit: "demo", action: "DEMO_LIST_ISSUES", arguments: {} }),
});

/** Measures calls: milliseconds per call, one by one (in chunks, each a figure) and all at once. */
globalThis.timed = (calls) => ({
  async run(name, { warm, chunks, chunk, many }, payload) {
    const call = () => calls[name](payload);
    for (let i = 0; i < warm; i++) await call();
    const one = [];
    for (let i = 0; i < chunks; i++) {
      const start = performance.now();
      for (let j = 0; j < chunk; j++) await call();
      one.push((performance.now() - start) / chunk);
    }
    const start = performance.now();
    await Promise.all(Array.from({ length: many }, call));
    return { one, many: [(performance.now() - start) / many] };
  },
});
