// Runs before anything else: chooses the theme, makes the Trusted Types policy and starts the application.

const THEME = "taiku.theme";
const chosen = () => {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null; // Storage is blocked: the system's theme holds.
  }
};
const theme = chosen();
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

// Leptos builds its static parts through `innerHTML` of a template. Only that sink passes, and only text that
// could not run anything; every other sink of markup or code throws.
const forbidden = /<\s*\/?\s*(?:script|iframe|frame|object|embed|base|meta|link|form)\b|[\s"'/]on[a-z]+\s*=|javascript:/i;
if (globalThis.trustedTypes) {
  trustedTypes.createPolicy("default", {
    createHTML: (text, _type, sink) => (sink === "Element innerHTML" && !forbidden.test(text) ? text : null),
  });
}

const boot = document.getElementById("boot");
const { module, wasm, events } = document.querySelector("script[data-module]").dataset;
try {
  const [{ default: init }] = await Promise.all([import(module), import(events)]);
  await init({ module_or_path: wasm });
} catch (error) {
  console.error(error);
  boot.setAttribute("role", "alert");
  boot.querySelector(".spinner")?.remove();
  boot.querySelector("p").textContent = "taiku could not be started. Reload the page; this browser may be too old.";
}
