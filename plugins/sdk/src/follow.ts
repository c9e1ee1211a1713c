import { on, ready } from "./wire.js";

/** Lets the document look as the page around it does, and says its language. */
export function follow(): () => void {
  const root = document.documentElement;
  const theme = (name?: string) => {
    if (name) root.dataset.theme = root.style.colorScheme = name;
  };
  const locale = (tag?: string) => {
    if (tag) root.lang = tag;
  };
  let stopped = false;
  const ends = [
    on("theme_changed", (data) => theme(data.theme)),
    on("locale_changed", (data) => locale(data.locale)),
    () => void (stopped = true),
  ];
  void ready.then((init) => {
    if (stopped) return;
    theme(init.theme);
    locale(init.locale);
  });
  return () => ends.forEach((end) => end());
}
