// Awaiting what has to become true.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

/** Waits until `look` gives `wanted`; fails with what it gave last. */
export async function expect(what, look, wanted, patience = 15_000) {
  const until = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (isDeepStrictEqual(found, wanted)) return;
    if (Date.now() > until) assert.deepEqual(found, wanted, `Waited ${patience / 1000} s for ${what}`);
    await new Promise((ready) => setTimeout(ready, 50));
  }
}
