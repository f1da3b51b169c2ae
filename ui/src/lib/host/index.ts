import { development } from "./development";
import type { Host } from "./host";

export { CallFailure, type Host } from "./host";

/** The host that this window runs in. */
export async function host(): Promise<Host> {
  if ("__TAURI_INTERNALS__" in window) return (await import("./tauri")).tauri;
  return development;
}
