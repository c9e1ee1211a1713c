// The lines that everybody shares: one value of the shared data per user, under the user's id.
"use strict";

const PREFIX = "line/";
/** The event by which the user's other panels, those of other plugins too, learn what the user says. */
const SAID = "example.pulse.said";

/** All lines, the newest first. */
async function readLines() {
  const keys = await taiku.kv.list({ prefix: PREFIX });
  const lines = await Promise.all(keys.map(async (key) => ({ ...(await taiku.kv.get(key)), user: key.slice(PREFIX.length) })));
  return lines.filter((line) => line.text).sort((a, b) => b.at - a.at);
}

/** Sets the user's own line, or takes it away. */
async function writeLine(user, name, text) {
  if (text) await taiku.kv.set(PREFIX + user, { name, text, at: Date.now() });
  else await taiku.kv.delete(PREFIX + user);
  // Nothing depends on it, and the user may have withheld the permission.
  taiku.broadcast(SAID, { text }).catch(() => {});
}
