// The peers' page and panels: bundled from npm and served from two sites, as taiku serves its own.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const page = (script) => `<!doctype html><title>bench</title><body>${script}</body>`;

async function bundle(name) {
  const made = await build({
    entryPoints: [here(name)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "chrome120",
    logLevel: "error",
  });
  return made.outputFiles[0].text;
}

/** Serves the peers; the page at `host`, the panels at `panel`, which is another site. */
export async function servePeers() {
  const measure = await readFile(here("measure.js"), "utf8");
  const files = {
    "/": ["text/html", page('<script src="host.js"></script>')],
    "/host.js": ["text/javascript", await bundle("host.js")],
    "/panel.html": ["text/html", page('<script src="measure.js"></script><script src="panel.js"></script>')],
    "/measure.js": ["text/javascript", measure],
    "/panel.js": ["text/javascript", await bundle("panel.js")],
  };
  const server = createServer((request, response) => {
    const [kind, text] = files[request.url] ?? ["text/plain", undefined];
    response.writeHead(text === undefined ? 404 : 200, { "content-type": `${kind}; charset=utf-8` });
    response.end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    host: `http://localhost:${port}`,
    panel: `http://127.0.0.1:${port}`,
    close: () => server.close(),
  };
}
