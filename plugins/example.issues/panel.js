"use strict";

/** @type {(id: string) => any} an element of this page, of whatever kind */
const $ = (id) => document.getElementById(id);
const VIEWS = ["loading", "notice", "tracker-view"];
/** Which load is the last one: an answer to an earlier one is old. */
let load = 0;
let issues = [];
/** Whether the user is away to connect an account. */
let waiting = false;

const tracker = () => $("tracker").value;
const name = () => TRACKERS[tracker()].name;

function show(view) {
  for (const id of VIEWS) $(id).hidden = id !== view;
}

/** A state of the whole panel with one thing to do. */
function notice(title, text, label, act) {
  $("notice-title").textContent = title;
  $("notice-text").textContent = text;
  $("notice-action").textContent = label;
  $("notice-action").onclick = act;
  show("notice");
}

/** What a failure means to the user: a sentence of the host, or the one within a tracker's answer. */
function sentence(error) {
  if (error.code !== "upstream_failed") return error.message;
  try {
    return JSON.parse(error.message).message ?? error.message;
  } catch {
    return error.message;
  }
}

const CONNECT_FIRST = {
  connection_missing: ["Connect an account", (name) => `Your ${name} issues appear here once an account is connected.`],
  connection_expired: ["The connection has ended", (name) => `${name} asks you to connect again.`],
};

function fail(error) {
  const [title, text] = CONNECT_FIRST[error.code] ?? [];
  if (title) notice(title, text(name()), `Connect ${name()}`, connect);
  else notice("That did not work", sentence(error), "Try again", refresh);
  badge(0);
}

async function connect() {
  try {
    const { opened } = await taiku.integrations.connect(tracker());
    const where = opened ? "in the window that opened" : "by the link that the page shows";
    waiting = true;
    notice("Waiting for you", `Finish connecting ${name()} ${where}. This panel goes on by itself.`, "Check again", refresh);
  } catch (error) {
    fail(error);
  }
}

async function refresh() {
  const current = ++load;
  waiting = false;
  $("repository").hidden = tracker() !== "github";
  if (tracker() === "github" && !$("repository").value) {
    notice("Which repository?", "Name one as owner/repository, such as rust-lang/rust.", "Name it", () => $("repository").focus());
    return;
  }
  // What the user may be typing in stays; only what shows nothing yet shows that it loads.
  if ($("tracker-view").hidden) show("loading");
  $("reload").ariaBusy = "true";
  try {
    const listed = await TRACKERS[tracker()].list();
    if (current !== load) return;
    issues = listed.filter((issue) => issue.state === "open");
    draw();
  } catch (error) {
    if (current === load) fail(error);
  } finally {
    if (current === load) $("reload").ariaBusy = "false";
  }
}

/** A list that was asked for before a change does not know of it. */
function outdate() {
  load += 1;
  $("reload").ariaBusy = "false";
}

function draw() {
  const count = issues.length;
  $("count").textContent = count === 0 ? "" : `${count} open`;
  $("empty").hidden = count > 0;
  $("issues").replaceChildren(...issues.map(row));
  show("tracker-view");
  badge(count);
}

function row(issue) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const title = document.createElement("p");
  const about = document.createElement("p");
  const close = document.createElement("button");
  title.textContent = issue.title;
  about.className = "quiet";
  about.textContent = [`#${issue.number}`, issue.body?.split("\n")[0]].filter(Boolean).join(" · ");
  close.type = "button";
  close.textContent = "Close";
  close.setAttribute("aria-label", `Close #${issue.number} ${issue.title}`);
  close.onclick = () => closeIssue(issue, close);
  text.append(title, about);
  item.append(text, close);
  return item;
}

async function closeIssue(issue, button) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    await TRACKERS[tracker()].close(issue.number);
    outdate();
    const at = issues.indexOf(issue);
    issues = issues.filter((other) => other !== issue);
    draw();
    // The next row takes over the focus, so that one can go on by keyboard.
    const buttons = $("issues").querySelectorAll("button");
    (buttons[at] ?? buttons[at - 1] ?? $("title")).focus();
    say(`Closed #${issue.number}`, "success");
  } catch (error) {
    button.ariaBusy = "false";
    say(sentence(error), "error");
  }
}

/** The same key for the same draft: sending it twice opens one issue. */
let draftKey = key();

function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function create() {
  if ($("create").ariaBusy === "true" || !$("title").reportValidity()) return;
  $("create").ariaBusy = "true";
  try {
    const issue = await TRACKERS[tracker()].create($("title").value.trim(), $("body").value.trim(), draftKey);
    draftKey = key();
    outdate();
    $("title").value = $("body").value = "";
    issues = [issue, ...issues];
    draw();
    say(`Opened #${issue.number}`, "success");
  } catch (error) {
    say(sentence(error), "error");
  } finally {
    $("create").ariaBusy = "false";
    $("title").focus();
  }
}

// A message or a badge that could not be shown is no reason to stop.
const say = (message, kind) => taiku.toast(message, kind).catch(() => {});
const badge = (count) => taiku.ui.badge("open", count).catch(() => {});

function onKey(event) {
  if (event.target.closest("input, textarea, select") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "n" && !$("tracker-view").hidden) {
    event.preventDefault();
    $("title").focus();
  }
  if (event.key === "r") refresh();
}

function changeTracker() {
  issues = [];
  show("loading");
  remember();
  refresh();
}

/** What was chosen is kept for the next time. */
const remember = () =>
  taiku.userData.set("tracker", { tracker: tracker(), repository: $("repository").value }).catch(() => {});

async function recall() {
  const kept = await taiku.userData.get("tracker").catch(() => null);
  if (kept?.tracker in TRACKERS) $("tracker").value = kept.tracker;
  $("repository").value = kept?.repository ?? "";
}

$("tracker").onchange = changeTracker;
$("repository").onchange = () => $("repository").reportValidity() && changeTracker();
$("reload").onclick = refresh;
// It stays: what moves when the focus leaves would make the click miss that took it away.
$("new-issue").addEventListener("focusin", () => ($("body").hidden = false));
$("create").onclick = create;
$("title").addEventListener("keydown", ({ key }) => key === "Enter" && create());
document.addEventListener("keydown", onKey);
taiku.on("connection_changed", ({ toolkit }) => toolkit === tracker() && refresh());
// A host that sends no events is asked when the user comes back.
addEventListener("focus", () => waiting && refresh());
taiku.ui.follow();
recall().then(refresh);
