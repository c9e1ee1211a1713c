// Runs without being seen: keeps the number at the toolbar and tells of lines that others have changed.
"use strict";

/** When each user's line was written, as far as the user has been told. */
let told = new Map();

async function look(tell) {
  const { userId } = await taiku.session.role();
  const lines = await readLines();
  const news = lines.filter(({ user, at }) => user !== userId && at > (told.get(user) ?? 0));
  told = new Map(lines.map(({ user, at }) => [user, at]));
  await taiku.ui.badge("open", lines.length);
  if (!tell || news.length === 0) return;
  await Promise.all([...news.map(({ name, text }) => taiku.ui.notify(name, text, "pulse")), taiku.ui.chime()]);
}

// What cannot be told now, because nobody is signed in or because the browser does not allow it, is told by the list.
const quietly = (tell) => look(tell).catch((error) => console.info(error.message));

taiku.on("data_changed", () => quietly(true));
// The user's own line, at once.
taiku.on(SAID, () => quietly(false));
taiku.ui.follow();
quietly(false);
