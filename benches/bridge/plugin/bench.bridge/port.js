// The same calls as the SDK makes them.

globalThis.bench = taiku.ready.then(() => timed(taikuCalls(taiku.call)));
