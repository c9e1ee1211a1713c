import type * as api from "./api.js";

/** A call that failed. */
export class TaikuError extends Error implements api.TaikuError {
  readonly code: api.Code;

  constructor(message: string, code: api.Code) {
    super(message);
    this.name = "TaikuError";
    this.code = code;
  }
}
