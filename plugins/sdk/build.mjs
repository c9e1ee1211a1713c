// Builds the SDK into `dist`, or into the folder that is named: the same source gives the same bytes.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here("dist");

const common = { bundle: true, minify: true, target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning" };

mkdirSync(out, { recursive: true });
await build({ ...common, entryPoints: [here("src/script.ts")], format: "iife", outfile: join(out, "taiku.js") });
await build({ ...common, entryPoints: [here("src/taiku.ts")], format: "esm", outfile: join(out, "taiku.mjs") });
cpSync(here("src/api.d.ts"), join(out, "taiku.d.ts"));
// TypeScript looks for the types of `./taiku.mjs` under this name.
writeFileSync(join(out, "taiku.d.mts"), 'export * from "./taiku.js";\nexport { default } from "./taiku.js";\n');
cpSync(here("src/global.d.ts"), join(out, "global.d.ts"));
cpSync(here("src/taiku.css"), join(out, "taiku.css"));
