/// <reference path="../dist/global.d.ts" />
// A panel that loads the SDK with a script tag has its types as well.

taiku.on("theme_changed", ({ theme }) => console.log(theme.length));
// @ts-expect-error no such member
taiku.toats("hello");
// What follows would be visible everywhere if this file were a script.
export {};
