"use strict";

/** @type {(id: string) => any} an element of this page, of whatever kind */
const $ = (id) => document.getElementById(id);
const QUICK = ["In the zone, write instead of calling", "On a break", "Out for today"];
const units = new Intl.RelativeTimeFormat(undefined, { style: "short" });
let me;
let name;
let chosen = 0;
let acts = [];

/** What Enter can do with what is typed. */
function choices() {
  const typed = $("line").value.trim();
  if (!name) return [{ label: typed ? `My name is ${typed}` : "First type your name", act: typed && (() => keepName(typed)) }];
  const quick = QUICK.filter((line) => line.toLowerCase().includes(typed.toLowerCase()));
  return [
    ...(typed ? [{ label: `Say “${typed}”`, act: () => say(typed) }] : []),
    ...quick.map((line) => ({ label: line, act: () => say(line) })),
    ...(typed ? [] : [{ label: "Take my line away", act: () => say("") }, { label: "Change my name", act: () => keepName("") }]),
  ];
}

function drawChoices(at = 0) {
  acts = choices();
  chosen = Math.max(0, Math.min(at, acts.length - 1));
  $("choices").replaceChildren(...acts.map(({ label, act }, index) => {
    const item = document.createElement("li");
    item.id = `choice-${index}`;
    item.role = "option";
    item.ariaSelected = String(index === chosen);
    item.textContent = label;
    item.onclick = () => act?.();
    return item;
  }));
  $("line").setAttribute("aria-activedescendant", `choice-${chosen}`);
  $("choices").children[chosen]?.scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    drawChoices((chosen + step + acts.length) % acts.length);
  }
  if (event.key === "Enter") acts[chosen].act?.();
  if (event.key === "Escape") taiku.ui.close();
}

async function say(text) {
  if (await does(() => writeLine(me, name, text))) {
    $("line").value = "";
    drawChoices();
    taiku.ui.close().catch(() => {});
  }
}

async function keepName(typed) {
  if (await does(() => taiku.userData.set("name", typed))) {
    name = typed;
    $("line").value = "";
    $("line").placeholder = name ? "What are you doing?" : "What is your name?";
    drawChoices();
    $("line").focus();
  }
}

/** Does something and tells why it did not work. Returns whether it did. */
async function does(act) {
  $("message").textContent = "";
  try {
    await act();
    return true;
  } catch (error) {
    $("message").className = "fault";
    $("message").textContent = error.message;
    return false;
  }
}

function ago(at) {
  const minutes = Math.round((at - Date.now()) / 60_000);
  if (minutes > -60) return units.format(Math.min(0, minutes), "minute");
  return minutes > -24 * 60 ? units.format(Math.round(minutes / 60), "hour") : units.format(Math.round(minutes / 1440), "day");
}

function person({ user, name, text, at }) {
  const item = document.createElement("li");
  const who = document.createElement("b");
  const what = document.createElement("span");
  const when = document.createElement("time");
  who.textContent = user === me ? `${name} (you)` : name;
  what.textContent = text;
  when.className = "quiet";
  when.textContent = ago(at);
  item.append(who, what, when);
  return item;
}

async function drawPeople() {
  await does(async () => {
    const lines = await readLines();
    $("people").replaceChildren(...lines.map(person));
    $("message").className = "quiet";
    $("message").textContent = lines.length === 0 ? "Nobody has said anything yet. Be the first." : "";
  });
  $("loading").hidden = true;
}

async function start() {
  const known = await does(async () => {
    const [role, kept] = await Promise.all([taiku.session.role(), taiku.userData.get("name")]);
    me = role.userId;
    name = kept ?? "";
  });
  if (!known) return ($("loading").hidden = true);
  if (!name) $("line").placeholder = "What is your name?";
  drawChoices();
  await drawPeople();
}

/** The overlay is opened and closed without its document noticing, but for its size. */
const seen = new IntersectionObserver(([entry]) => {
  if (!entry.isIntersecting) return;
  $("line").focus();
  if (me) drawPeople();
});

$("line").oninput = () => drawChoices();
document.addEventListener("keydown", onKey);
taiku.on("data_changed", drawPeople);
taiku.ui.follow();
start().then(() => seen.observe($("line")));
