// The inspector of `taiku plugin dev`: asks for the calls of one plugin's panels, again and again, and lists them.
"use strict";

const $ = (id) => document.getElementById(id);
const [plugin] = location.pathname.split("/").slice(2).map(decodeURIComponent);
const MOST = 1000;
const AGAIN_MS = 2000;
let calls = [];
let newest = 0;

try {
  const theme = localStorage.getItem("taiku.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme holds.
}

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const figure = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const took = (ms) => (ms ? `${figure.format(ms)} ms` : "");
const size = (units) => {
  if (units == null) return "";
  return units < 1024 ? `${units} B` : `${figure.format(units / 1024)} KB`;
};

const words = (call) =>
  [call.method, call.panel, call.code, call.status, call.error, JSON.stringify(call.params)].join(" ").toLowerCase();

function isShown(call) {
  const filter = $("filter").value.trim().toLowerCase();
  if ($("failed").checked && !call.code) return false;
  return filter.split(/\s+/).every((word) => words(call).includes(word));
}

function parameters({ method, params }) {
  const name = element("span", "method", method);
  if (params == null || (typeof params === "object" && Object.keys(params).length === 0)) return name;
  const text = JSON.stringify(params);
  const brief = element("span", "brief method", ` ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`);
  return element("details", "", element("summary", "", name, brief), element("pre", "", JSON.stringify(params, null, 2)));
}

function decision({ method, code, error }) {
  if (code) return [element("span", "bad", code), element("span", "said", error ?? "")];
  return [element("span", "good", method.startsWith("taiku:") ? "sent" : "allowed")];
}

function row(call) {
  const status = element("span", call.status >= 400 ? "bad" : "", call.status ? `${call.status}` : "");
  const made = element(
    "tr",
    "",
    element("td", "time", time.format(call.at)),
    element("td", "", call.panel),
    element("td", "call", parameters(call)),
    element("td", "", ...decision(call)),
    element("td", "figure", status),
    element("td", "figure", took(call.ms)),
    element("td", "figure", size(call.size)),
  );
  made.toggleAttribute("data-said-by-host", call.method.startsWith("taiku:"));
  return made;
}

function draw() {
  const shown = calls.filter(isShown);
  $("calls").replaceChildren(...shown.map(row));
  tell(shown.length);
}

function tell(shown) {
  $("none").hidden = shown > 0;
  $("none").textContent = calls.length
    ? "No call matches the filter."
    : "No calls yet. Open a panel of the plugin, and what it asks for appears here.";
}

function add(fresh) {
  const follows = scrollY + innerHeight >= document.documentElement.scrollHeight - 8;
  calls = [...calls, ...fresh].slice(-MOST);
  if (calls.length === MOST) draw();
  else $("calls").append(...fresh.filter(isShown).map(row));
  tell($("calls").childElementCount);
  if (follows) scrollTo(0, document.documentElement.scrollHeight);
}

function state(text, kind = "") {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").dataset.kind = kind;
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function listen() {
  try {
    const answer = await fetch(`/api/v1/trials/${encodeURIComponent(plugin)}/calls?after=${newest}`);
    if (answer.status === 401) return state("Sign in on the host page, as the one who runs taiku plugin dev.", "bad");
    if (answer.status === 404) {
      // Numbers begin anew when the tool is started again.
      newest = 0;
      return state("taiku plugin dev is not running for this plugin.", "bad");
    }
    if (!answer.ok) return state(`The server answers ${answer.status}.`, "bad");
    const { calls: fresh } = await answer.json();
    state("Listening");
    if (fresh.length) newest = fresh.at(-1).number;
    add(fresh);
    return true;
  } catch {
    return state("The server cannot be reached.", "bad");
  }
}

async function run() {
  for (;;) {
    if (!(await listen())) await wait(AGAIN_MS);
  }
}

$("name").textContent = `Calls of ${plugin}`;
document.title = `${plugin} · calls`;
$("filter").oninput = draw;
$("failed").onchange = draw;
$("clear").onclick = () => {
  calls = [];
  draw();
};
$("copy").onclick = async () => {
  await navigator.clipboard.writeText(JSON.stringify(calls.filter(isShown), null, 2));
  state("Copied");
};
run();
