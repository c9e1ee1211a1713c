/** For panels that load the SDK with a script tag: `/// <reference path="global.d.ts" />`. */
import type { Taiku } from "./taiku.js";

declare global {
  const taiku: Taiku;
}
