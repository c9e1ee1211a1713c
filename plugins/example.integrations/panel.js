"use strict";

const $ = (id) => document.getElementById(id);
const RECHECK_MS = 3000;
let tools = [];
let connecting = false;

const toolkit = () => $("toolkit").value;
const toolkitName = () => $("toolkit").selectedOptions[0].textContent;

function show(text, kind) {
  $("output").dataset.kind = kind;
  $("output").textContent = text;
  // What somebody waited for must not stay below the edge of the panel.
  if (kind === "result" || kind === "error") $("output").scrollIntoView({ block: "nearest" });
}

function showStatus(text, kind) {
  // Writing the same text again would make a screen reader repeat it.
  if ($("status").textContent !== text) $("status").textContent = text;
  $("status").dataset.kind = kind;
}

/** Runs `act` once at a time for a button, which stays focusable while it is busy. */
function onClick(id, busyText, act) {
  const button = $(id);
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    const text = button.textContent;
    button.ariaBusy = "true";
    button.textContent = busyText;
    try {
      await act();
    } finally {
      button.ariaBusy = "false";
      if (button.textContent === busyText) button.textContent = text;
    }
  });
}

const isActive = (connection) => /active/i.test(connection.status || "");

function describe(connections) {
  if (connections.some(isActive)) return ["Connected", "good"];
  const states = connections.map(({ status }) => status);
  if (states.includes("INITIATED")) return ["Waiting for you to finish in the other tab", "waiting"];
  if (states.includes("EXPIRED")) return ["The connection has ended. Connect again.", "bad"];
  if (states.includes("FAILED")) return ["Not connected: the last attempt was declined or failed", "bad"];
  return ["Not connected", "none"];
}

async function refresh() {
  const asked = toolkit();
  try {
    const { connections } = await call("integrations.list");
    if (asked !== toolkit()) return;
    const own = connections.filter((connection) => connection.toolkit === asked);
    const connected = own.some(isActive);
    if (connected || !own.some(({ status }) => status === "INITIATED")) connecting = false;
    if ($("connect").ariaBusy !== "true") {
      $("connect").textContent = `${connected ? "Reconnect" : "Connect"} ${toolkitName()}`;
    }
    showStatus(...describe(own));
  } catch (error) {
    connecting = false;
    showStatus(error.message, "bad");
  }
}

function recheck() {
  if (connecting && document.visibilityState === "visible") refresh();
}

async function connect() {
  try {
    const answer = await call("integrations.connect", { toolkit: toolkit() });
    connecting = true;
    if (answer.opened) {
      show(`Finish connecting ${toolkitName()} in the tab that opened, then come back here.`, "note");
    } else if (answer.redirectUrl) {
      showBlocked(answer.redirectUrl);
    }
    refresh();
  } catch (error) {
    show(`Connect failed: ${error.message}`, "error");
  }
}

function showBlocked(address) {
  show("Popup blocked. Open the link that the page shows beside this panel, or copy this address into a new tab:\n\n", "note");
  const text = document.createElement("span");
  text.className = "address";
  text.textContent = address;
  $("output").append(text);
  $("output").scrollIntoView({ block: "nearest" });
}

async function loadTools() {
  const asked = toolkit();
  try {
    const answer = await call("integrations.tools", { toolkit: asked, limit: 100 });
    if (asked !== toolkit()) return;
    setTools(answer.tools, "This toolkit has no tools");
    show(`${tools.length} ${tools.length === 1 ? "tool" : "tools"} of ${toolkitName()}. Choose one and run it.`, "note");
  } catch (error) {
    show(`Listing the tools failed: ${error.message}`, "error");
  }
}

function setTools(list, emptyText) {
  tools = list;
  const options = tools.map(({ slug, name, description }) => {
    const option = new Option(slug, slug);
    option.title = description || name || "";
    return option;
  });
  $("tools").replaceChildren(...(options.length > 0 ? options : [new Option(emptyText, "")]));
  $("tools").disabled = $("run").disabled = options.length === 0;
  chooseTool();
}

function chooseTool() {
  const tool = tools.find(({ slug }) => slug === $("tools").value);
  $("about").textContent = tool?.description || tool?.name || "";
  $("args").value = JSON.stringify(tool ? firstArguments(tool.inputParameters) : {}, null, 2);
  $("args-fault").textContent = "";
}

/** An object with the required properties of a JSON Schema, each with a value to start from. */
function firstArguments(schema) {
  const { required = [], properties = {} } = schema ?? {};
  return Object.fromEntries(required.map((name) => [name, firstValue(properties[name] ?? {})]));
}

function firstValue(schema) {
  const given = [schema.default, schema.const, schema.enum?.[0], schema.examples?.[0]];
  const value = given.find((candidate) => candidate !== undefined);
  if (value !== undefined) return value;
  const type = [schema.type].flat().find((name) => name !== "null");
  switch (type) {
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return false;
    case "array":
      return [];
    case "object":
      return firstArguments(schema);
    default:
      return schema.minLength > 0 ? "Hello from taiku".slice(0, schema.maxLength) : "";
  }
}

function readArguments() {
  try {
    const value = JSON.parse($("args").value || "{}");
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return { value };
    return { fault: "Arguments must be a JSON object, such as {\"title\": \"Hello\"}." };
  } catch (error) {
    return { fault: `Arguments must be valid JSON: ${error.message}` };
  }
}

async function run() {
  const { value, fault } = readArguments();
  $("args-fault").textContent = fault ?? "";
  $("args").setAttribute("aria-invalid", String(Boolean(fault)));
  if (fault) {
    show(fault, "error");
    return;
  }
  show("Running…", "note");
  try {
    const request = { toolkit: toolkit(), action: $("tools").value, arguments: value };
    const result = await call("integrations.execute", request);
    show(typeof result === "string" ? result : JSON.stringify(result, null, 2), "result");
  } catch (error) {
    show(`Error: ${error.message}`, "error");
  }
}

onClick("connect", "Connecting…", connect);
onClick("load", "Listing…", loadTools);
onClick("run", "Running…", run);
$("tools").addEventListener("change", chooseTool);
$("toolkit").addEventListener("change", () => {
  setTools([], "List the tools first");
  showStatus("Checking your connections…", "waiting");
  show("Nothing has run yet.", "empty");
  refresh();
});
window.addEventListener("focus", recheck);
document.addEventListener("visibilitychange", recheck);
setInterval(recheck, RECHECK_MS);
refresh();
