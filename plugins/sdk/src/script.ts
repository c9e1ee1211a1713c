// For a script tag: the global `taiku`.

import { taiku } from "./taiku.js";

Object.assign(globalThis, { taiku });
