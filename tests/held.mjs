// What a file of tests holds up for as long as it runs.

import { after } from "node:test";

/** What `set` puts into its list is ended when the tests are done, or as soon as setting up fails: what came last goes first. */
export async function held(set) {
  const holds = [];
  const end = async () => {
    while (holds.length > 0) await holds.pop()();
  };
  try {
    const given = await set(holds);
    after(end);
    return given;
  } catch (error) {
    await end();
    throw error;
  }
}
