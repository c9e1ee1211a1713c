/**
 * What a taiku panel can say to its host, and hear from it.
 *
 * This file is the SDK's whole surface; the code is checked against it. `docs/plugins.md` explains the rules.
 */

/** What can be a message: nothing that `JSON.stringify` drops or refuses. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. A field that is `undefined` is left out. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** Light or dark, as the user sees the page. */
export type Theme = "light" | "dark";

/** Who this panel is, and what it may do. Comes once per document. */
export interface Init {
  readonly pluginId: string;
  readonly panelId: string;
  readonly sessionId: string;
  readonly protocolVersion?: number;
  readonly theme?: Theme;
  /** A BCP 47 language tag, such as `en-GB`. */
  readonly locale?: string;
  /** What the user has allowed, which may be less than the manifest asks for. */
  readonly permissions?: readonly string[];
  /** The toolkits that the user has allowed. */
  readonly integrations?: readonly string[];
}

/** The state of a connection. Only an `ACTIVE` one can be used. */
export type Status = "INITIATED" | "ACTIVE" | "EXPIRED" | "FAILED" | "REVOKED";

/** One account of the user at one toolkit. */
export interface Connection {
  readonly id: string;
  readonly toolkit: string;
  readonly status: Status;
}

/** A connection that has begun. The user finishes it in another window. */
export interface Connecting {
  readonly connectionId: string;
  readonly redirectUrl: string;
  readonly status: Status;
  /** False when the browser blocked the window; the host then shows the link itself. */
  readonly opened: boolean;
}

/** One operation of a toolkit. */
export interface Tool {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  /** JSON Schema 2020-12 of the arguments. */
  readonly inputParameters: JsonObject;
}

/** How a toast looks. */
export type ToastKind = "info" | "success" | "error";

/** Every method of the host: its parameters, which may be left out where none is needed, and its result. */
export interface Methods {
  /** All connections of the user, active ones first. Needs `integrations.read`. */
  "integrations.list": { params: {}; result: { connections: Connection[] } };
  /** Begins to connect an account; call it from a click, or the window is blocked. Needs `integrations.connect`. */
  "integrations.connect": { params: { toolkit: string; callbackUrl?: string }; result: Connecting };
  /** Tools of a declared toolkit, 50 unless `limit` (1 to 100) says otherwise. Needs `integrations.read`. */
  "integrations.tools": { params: { toolkit: string; search?: string; limit?: number }; result: { tools: Tool[] } };
  /** Runs a tool as the user. The result is what the service answered. Needs `integrations.execute`. */
  "integrations.execute": { params: Execute; result: unknown };

  /** The session of the host page. Needs `session.read`. */
  getSession: { params: {}; result: { id: string; name: string } };
  /** The user's role; `userId` is null for a visitor. Needs `session.read`. */
  getUserRole: { params: {}; result: { role: "admin" | "writer" | "reader"; userId: string | null } };
  /** The shells of the session; this host has none. Needs `session.read`. */
  getShells: { params: {}; result: never[] };

  /** A short message; `duration` in milliseconds. Needs `ui.toast`. */
  showToast: { params: { message: string; kind?: ToastKind; duration?: number }; result: null };
  /** A notification of the desktop; one with the same `tag` replaces the last. Needs `ui.notify`. */
  sendNotification: { params: { title: string; body?: string; tag?: string }; result: unknown };
  /** A short sound. Needs `audio.play`. */
  playSound: { params: { sound: "chime" }; result: unknown };

  /** Nothing is needed but the permission `events.subscribe`; this only asks for it. */
  subscribeEvents: { params: {}; result: unknown };
  /** Tells the user's other panels that listen. Needs `events.broadcast`. */
  broadcastEvent: { params: { type: string; data?: JsonObject }; result: unknown };

  /** A number at an action of the toolbar; 0 takes it away. Needs `ui.toolbar.custom`. */
  setBadge: { params: { actionId: string; count: number }; result: unknown };
  /** Opens a panel of this plugin, the calling one unless another is named. Needs `ui.panel`. */
  openPanel: { params: PanelSize; result: unknown };
  /** Closes a panel of this plugin, the calling one unless another is named. Needs `ui.panel`. */
  closePanel: { params: { panelId?: string }; result: unknown };
  /** Sizes a panel of this plugin, the calling one unless another is named. Needs `ui.panel`. */
  resizePanel: { params: PanelSize; result: unknown };

  /** A value that this plugin keeps for this user, or null. Needs no permission. */
  getUserData: { params: { key: string }; result: Json };
  /** Keeps a value for this user. Needs no permission. */
  setUserData: { params: { key: string; value: Json }; result: unknown };

  /** A value that this plugin shares between all users, or null. Needs `kv.read`. */
  "kv.get": { params: { key: string }; result: Json };
  /** Shares a value between all users. Needs `kv.write`. */
  "kv.set": { params: { key: string; value: Json }; result: unknown };
  /** Removes a shared value. Needs `kv.write`. */
  "kv.delete": { params: { key: string }; result: unknown };
  /** The keys of shared values, in order. Needs `kv.read`. */
  "kv.list": { params: Listing; result: { keys: string[]; nextCursor?: string | null } };

  /** A file of this user and plugin: its text, or base64 of its bytes; null when there is none. Needs `storage.read`. */
  "storage.read": { params: { name: string; encoding?: Encoding }; result: string | null };
  /** Writes a file of this user and plugin. Needs `storage.write`. */
  "storage.write": { params: { name: string; value: string; encoding?: Encoding }; result: unknown };
  /** Removes a file. Needs `storage.write`. */
  "storage.delete": { params: { name: string }; result: unknown };
  /** The files of this user and plugin, in the order of their names. Needs `storage.read`. */
  "storage.list": { params: Listing; result: { files: StoredFile[]; nextCursor?: string | null } };
}

/** Which names to list: those that begin with `prefix`, after `cursor`, at most `limit` (1,000 unless given). */
export interface Listing {
  prefix?: string;
  /** The `nextCursor` of the list before. */
  cursor?: string;
  limit?: number;
}

/** How a file is written in a message. */
export type Encoding = "utf8" | "base64";

/** A file without its content. */
export interface StoredFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When it was written, as in RFC 3339. */
  readonly updatedAt: string;
}

/** Parameters of running a tool. */
export interface Execute {
  toolkit: string;
  /** The tool's slug, such as `GITHUB_CREATE_AN_ISSUE`. */
  action: string;
  arguments?: JsonObject;
  /** The account to use; the user's default otherwise. */
  connectionId?: string;
  /** The same key and arguments run the tool once and give the first result, for 24 hours. */
  idempotencyKey?: string;
}

/** A panel and its size in CSS pixels, `"fit"` being the manifest's. */
export interface PanelSize {
  panelId?: string;
  width?: number | "fit";
  height?: number | "fit";
}

/** The name of a method. */
export type Method = keyof Methods;
/** The parameters of a method. */
export type Params<M extends Method> = Methods[M]["params"];
/** The result of a method. */
export type Result<M extends Method> = Methods[M]["result"];

/**
 * What the host says by itself, and its data. All but the first two need `events.subscribe`.
 *
 * Add the events of other plugins by declaring this interface again: `declare module "@taiku/sdk" { interface Events { … } }`.
 */
export interface Events {
  /** The page is light or dark now. */
  theme_changed: { theme: Theme };
  /** The page speaks another language now. */
  locale_changed: { locale: string };
  /** A connection was begun, finished, ended or removed. Needs `integrations.read` as well. */
  connection_changed: { connectionId: string; toolkit: string; status?: Status; why?: string | null };
  /** The user has allowed a plugin something, or taken it back. */
  grant_changed: { pluginId: string };
  /** Plugins were added or removed. */
  plugins_changed: {};
  /** An admin has changed a toolkit. */
  toolkits_changed: { toolkit: string };
  /** A value that this plugin shares between all users has changed. Needs `kv.read` as well. */
  data_changed: { pluginId: string; key: string };
}

/** Something that happened. */
export interface HostEvent<Data = Record<string, unknown>> {
  readonly type: string;
  readonly data: Data;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** The plugin that broadcast it; none when the host says it. */
  readonly source?: string;
}

/** The stable names of what can go wrong. There may be new ones. */
export type Code =
  | "approval_declined"
  | "approval_pending"
  | "bad_message"
  | "busy"
  | "connection_expired"
  | "connection_missing"
  | "connection_required"
  | "duplicate_id"
  | "grant_missing"
  | "identity_mismatch"
  | "integrations_disabled"
  | "internal"
  | "invalid_params"
  | "key_unknown"
  | "no_host"
  | "not_signed_in"
  | "permission_missing"
  | "plugin_not_installed"
  | "quota_exceeded"
  | "rate_limited"
  | "scope_missing"
  | "stale_panel"
  | "timeout"
  | "tool_unknown"
  | "toolkit_disabled"
  | "toolkit_not_declared"
  | "toolkit_unknown"
  | "unknown_method"
  | "upstream_failed"
  | "upstream_slow"
  | "upstream_unreachable"
  | (string & {});

/** Why a call failed: `message` is a sentence for people, `code` a name that does not change. */
export class TaikuError extends Error {
  constructor(message: string, code: Code);
  readonly code: Code;
}

/** How `taiku.localStorage` behaves. */
export interface LocalStorageOptions {
  /** Under which key of the user data it is kept; `localStorage` unless given. */
  key?: string;
  /** Also puts it in the place of `window.localStorage`, which a panel does not have. */
  install?: boolean;
  /** Hears why a write behind failed; otherwise it is reported as an uncaught error. */
  onError?: (error: unknown) => void;
}

/** A `Storage` over the plugin's user data: read at once, written behind. */
export interface LocalStorage extends Storage {
  /** Resolves when everything that was set is kept; rejects when it could not be. */
  flush(): Promise<void>;
}

/** The SDK. */
export interface Taiku {
  readonly TaikuError: typeof TaikuError;
  /** Resolves when the host has said who this panel is. Calls need not wait for it: they do so themselves. */
  readonly ready: Promise<Init>;

  /** Calls any method. Rejects with a {@link TaikuError}. */
  call<M extends Method>(method: M, ...params: {} extends Params<M> ? [params?: Params<M>] : [params: Params<M>]): Promise<Result<M>>;

  /** Hears what the host says; the answer stops it. `*` hears everything. */
  on<E extends keyof Events>(type: E, listener: (data: Events[E], event: HostEvent<Events[E]>) => void): () => void;
  on<E extends string>(
    type: E extends keyof Events ? never : E,
    listener: (data: Record<string, unknown>, event: HostEvent) => void,
  ): () => void;

  /** A short message over the page. */
  toast(message: string, kind?: ToastKind, duration?: number): Promise<null>;

  readonly integrations: {
    /** All connections of the user, active ones first. */
    list(): Promise<Connection[]>;
    /** The active connections of one toolkit, the one that is used first. */
    active(toolkit: string): Promise<Connection[]>;
    /** Begins to connect an account; call it from a click. */
    connect(toolkit: string, callbackUrl?: string): Promise<Connecting>;
    /** Tools of a toolkit. */
    tools(toolkit: string, options?: { search?: string; limit?: number }): Promise<Tool[]>;
    /** Runs a tool as the user. What it answers is the service's own: give it a type, as in `execute<Issue>(…)`. */
    execute<T = any>(
      toolkit: string,
      action: string,
      args?: JsonObject,
      options?: { connectionId?: string; idempotencyKey?: string },
    ): Promise<T>;
  };

  readonly session: {
    get(): Promise<Result<"getSession">>;
    role(): Promise<Result<"getUserRole">>;
  };

  /** Values of this user. */
  readonly userData: {
    get<T extends Json = Json>(key: string): Promise<T | null>;
    set(key: string, value: Json): Promise<unknown>;
  };

  /** Values that all users share. */
  readonly kv: {
    get<T extends Json = Json>(key: string): Promise<T | null>;
    set(key: string, value: Json): Promise<unknown>;
    delete(key: string): Promise<unknown>;
    list(options?: Listing): Promise<string[]>;
  };

  /** Files of this user. */
  readonly storage: {
    read(name: string, encoding?: Encoding): Promise<string | null>;
    write(name: string, value: string, encoding?: Encoding): Promise<unknown>;
    delete(name: string): Promise<unknown>;
    list(options?: Listing): Promise<StoredFile[]>;
  };

  readonly ui: {
    open(panelId: string, size?: Omit<PanelSize, "panelId">): Promise<unknown>;
    /** Closes this panel, or another one. */
    close(panelId?: string): Promise<unknown>;
    /** Sizes this panel, or another one. */
    resize(size: PanelSize): Promise<unknown>;
    badge(actionId: string, count: number): Promise<unknown>;
    notify(title: string, body?: string, tag?: string): Promise<unknown>;
    chime(): Promise<unknown>;
    /** Lets `data-theme`, `color-scheme` and `lang` of the document follow the page. The answer stops it. */
    follow(): () => void;
  };

  /** Tells the user's other panels. */
  broadcast(type: string, data?: JsonObject): Promise<unknown>;

  /** A `localStorage` for code that wants one; see {@link LocalStorageOptions}. */
  localStorage(options?: LocalStorageOptions): Promise<LocalStorage>;
}

/** The SDK; a script tag makes it the global `taiku`. */
export const taiku: Taiku;
export default taiku;
