// One stream of events per browser. The tab that holds the lock reads it and hands on to every tab, itself included;
// when it closes, another one gets the lock. A browser allows six connections to a host: a stream per tab would
// leave none for requests.

const STREAM = "/api/v1/events";
const SESSION = "/api/v1/session";
const NAMES = [
  "connection_changed", "grant_changed", "plugins_changed", "toolkits_changed", "data_changed", "plugin_event",
  "session_ended", "resync",
];
// A timer that comes this late, in milliseconds, says that the computer was asleep. Timers of a tab in the
// background may come every minute.
const ASLEEP = 150_000;
const LOOK_EVERY = 20_000;
const [FIRST_RETRY, LAST_RETRY] = [2_000, 60_000];

const channel = new BroadcastChannel("taiku");
// The session of this browser as the pages know it; they say so when they learn it.
let session = null;
let leads = false;
let source = null;
let retry = FIRST_RETRY;
let waiting = 0;

const open = () => {
  close();
  if (!leads || !session) return;
  source = new EventSource(STREAM);
  source.onopen = () => (retry = FIRST_RETRY);
  // The browser itself comes back after a connection that was cut off, and not after an answer that is no stream.
  source.onerror = () => source?.readyState === EventSource.CLOSED && refused();
  for (const name of NAMES) {
    source.addEventListener(name, (event) => {
      channel.postMessage({ type: name, data: JSON.parse(event.data) });
      if (name === "session_ended") end();
    });
  }
};

const close = () => {
  clearTimeout(waiting);
  source?.close();
  source = null;
};

const end = () => {
  session = null;
  close();
};

// Nobody is signed in, or the server is away for now: only then it is asked again.
const refused = async () => {
  close();
  const answer = await fetch(SESSION).then((response) => response.json()).catch(() => null);
  if (answer && !answer.user) {
    channel.postMessage({ type: "session_ended", data: {} });
    return end();
  }
  waiting = setTimeout(open, retry);
  retry = Math.min(retry * 2, LAST_RETRY);
};

channel.onmessage = ({ data }) => {
  if (data?.type !== "session_changed" || (data.data.session === session && source)) return;
  session = data.data.session;
  open();
};

const lead = () => {
  leads = true;
  addEventListener("online", open);
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > ASLEEP && source) open();
    last = now;
  }, LOOK_EVERY);
  open();
  // For as long as the tab lives.
  return new Promise(() => {});
};

if (navigator.locks) navigator.locks.request("taiku.events", lead);
else lead();
