"use strict";

const $ = (id) => document.getElementById(id);
let entries = [];

/** Does something for the user, and says it when it fails. */
const attempt = (act) => act().catch((error) => taiku.toast(error.message, "error"));

/** An element with a text. */
function element(name, text = "", fields = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, fields);
}

function draw() {
  $("none").textContent = entries.length ? "" : "Nothing to do. Enjoy the day.";
  $("todo").replaceChildren(...entries.map(row));
}

function row(entry) {
  const box = element("input", "", { type: "checkbox", checked: entry.done });
  box.onchange = () => save(entries.map((other) => (other === entry ? { ...entry, done: box.checked } : other)));
  const remove = element("button", "Remove", { type: "button", ariaLabel: `Remove ${entry.text}` });
  remove.onclick = () => save(entries.filter((other) => other !== entry));
  const label = element("label");
  label.append(box, element("span", entry.text));
  const line = element("li");
  line.append(label, remove);
  return line;
}

// What is kept is this user's, at the server: it is there on every device.
function save(changed) {
  entries = changed;
  draw();
  return attempt(() => taiku.userData.set("todo", entries));
}

function add() {
  const text = $("text").value.trim();
  if (text) save([...entries, { text, done: false }]);
  $("text").value = "";
  $("text").focus();
}

async function load() {
  entries = (await taiku.userData.get("todo")) ?? [];
  draw();
}

/** The services of the manifest, each with its account or a button that connects one. */
async function showServices() {
  const { integrations = [] } = await taiku.ready;
  $("services").hidden = integrations.length === 0;
  if (integrations.length === 0) return;
  const accounts = await taiku.integrations.list();
  $("accounts").replaceChildren(...integrations.map((toolkit) => service(toolkit, accounts)));
}

function service(toolkit, accounts) {
  const line = element("li", "");
  const active = accounts.some((account) => account.toolkit === toolkit && account.status === "ACTIVE");
  const connect = element("button", "Connect", { type: "button", ariaLabel: `Connect ${toolkit}` });
  connect.onclick = () => attempt(() => taiku.integrations.connect(toolkit));
  // Run a tool with `taiku.integrations.execute(toolkit, "SLUG_OF_THE_TOOL", { … })`.
  line.append(element("span", toolkit), active ? element("span", "Connected", { className: "good" }) : connect);
  return line;
}

$("add").onclick = add;
$("text").addEventListener("keydown", (event) => event.key === "Enter" && add());
taiku.on("connection_changed", () => attempt(showServices));
taiku.ui.follow();
attempt(load);
attempt(showServices);
