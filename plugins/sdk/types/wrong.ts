// What must not compile: each line that expects an error fails the check if there is none.

import { taiku } from "@taiku/sdk";

export async function wrong(): Promise<void> {
  // @ts-expect-error no such method
  await taiku.call("integrations.delete");
  // @ts-expect-error another case
  await taiku.call("getsession");
  // @ts-expect-error the parameters are missing
  await taiku.call("integrations.execute");
  // @ts-expect-error the action is missing
  await taiku.call("integrations.execute", { toolkit: "demo" });
  // @ts-expect-error a misspelt parameter
  await taiku.call("integrations.connect", { toolkit: "demo", callbackURL: "/" });
  // @ts-expect-error a number is wanted
  await taiku.call("integrations.tools", { toolkit: "demo", limit: "10" });
  // @ts-expect-error no such kind
  await taiku.toast("hello", "loud");
  // @ts-expect-error no such sound
  await taiku.call("playSound", { sound: "gong" });
  // @ts-expect-error a BigInt is no JSON
  await taiku.userData.set("key", 10n);
  // @ts-expect-error a function is no JSON
  await taiku.integrations.execute("demo", "A", { run: () => {} });
  // @ts-expect-error undefined is no JSON
  await taiku.kv.set("key", undefined);
  // @ts-expect-error no such encoding
  await taiku.storage.read("file", "latin1");
  // @ts-expect-error the result is a list of connections
  (await taiku.integrations.list()).connections;
  // @ts-expect-error the answer was given a type without that field
  (await taiku.integrations.execute<{ number: number }>("demo", "A")).title;
  // @ts-expect-error there is no such field of this event
  taiku.on("theme_changed", ({ colour }) => colour);
  // @ts-expect-error the token is the SDK's own
  (await taiku.ready).authToken;
}
