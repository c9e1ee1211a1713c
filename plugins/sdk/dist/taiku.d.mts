export * from "./taiku.js";
export { default } from "./taiku.js";
