"use strict";

/** @type {(id: string) => any} an element of this page, of whatever kind */
const $ = (id) => document.getElementById(id);
const PREFIX = "note:";
const PAUSE_MS = 600;
/** The notes by their ids, in the order in which they were made: an id begins with the time. */
let storage;
let current;
/** Saves soon after the last key. */
let saving;
/** The note that was deleted last, until something else is done. */
let deleted;

const ids = () =>
  Array.from({ length: storage.length }, (_, index) => storage.key(index))
    .filter((key) => key.startsWith(PREFIX))
    .sort();
const textOf = (id) => storage.getItem(id) ?? "";
const title = (id) => textOf(id).trim().split("\n")[0].slice(0, 24) || "Empty note";

function show(view) {
  for (const id of ["loading", "failed", "notes"]) $(id).hidden = id !== view;
}

async function start() {
  show("loading");
  try {
    storage = await taiku.localStorage({ onError: notSaved });
  } catch (error) {
    $("failure").textContent = error.message;
    show("failed");
    return;
  }
  show("notes");
  open(ids().includes(storage.getItem("current")) ? storage.getItem("current") : (ids()[0] ?? add()));
}

function add() {
  const id = `${PREFIX}${Date.now()}`;
  storage.setItem(id, "");
  return id;
}

function open(id) {
  current = id;
  storage.setItem("current", id);
  $("text").value = textOf(id);
  draw();
  saved();
}

function draw() {
  $("tabs").replaceChildren(...ids().map(tab));
  $("remove").textContent = deleted === undefined ? "Delete" : "Undo";
}

function tab(id) {
  const button = document.createElement("button");
  const chosen = id === current;
  button.type = "button";
  button.role = "tab";
  button.className = "plain";
  button.ariaSelected = String(chosen);
  button.tabIndex = chosen ? 0 : -1;
  button.textContent = title(id);
  button.onclick = () => choose(id);
  return button;
}

function choose(id) {
  forget();
  open(id);
  $("text").focus();
}

/** Left and right go through the tabs, as they do in any list of them. */
function onTabKey({ key }) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (!step) return;
  const all = ids();
  open(all[(all.indexOf(current) + step + all.length) % all.length]);
  $("tabs").querySelector("[aria-selected='true']").focus();
}

function onInput() {
  forget();
  storage.setItem(current, $("text").value);
  $("tabs").querySelector("[aria-selected='true']").textContent = title(current);
  $("status").textContent = "Saving…";
  clearTimeout(saving);
  saving = setTimeout(save, PAUSE_MS);
}

function save() {
  return storage.flush().then(saved, notSaved);
}

function saved() {
  const words = $("text").value.split(/\s+/).filter(Boolean).length;
  $("status").textContent = `${words} ${words === 1 ? "word" : "words"}, saved`;
  $("status").className = "quiet";
  $("retry").hidden = true;
}

function notSaved(error) {
  $("status").textContent = `Not saved: ${error.message}`;
  $("status").className = "fault";
  $("retry").hidden = false;
}

function remove() {
  if (deleted !== undefined) return undo();
  deleted = { id: current, text: textOf(current) };
  storage.removeItem(current);
  open(ids()[0] ?? add());
  save();
  taiku.toast("Note deleted. Undo brings it back.").catch(() => {});
}

function undo() {
  const { id, text } = deleted;
  deleted = undefined;
  storage.setItem(id, text);
  open(id);
  save();
}

function forget() {
  if (deleted === undefined) return;
  deleted = undefined;
  draw();
}

$("again").onclick = start;
$("add").onclick = () => choose(add());
$("remove").onclick = remove;
$("retry").onclick = save;
$("text").oninput = onInput;
$("tabs").onkeydown = onTabKey;
taiku.ui.follow();
start();
