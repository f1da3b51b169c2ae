import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Signal } from "../api.generated";
import { CallFailure, type Host } from "./host";

/** The desktop shell. The only file of the interface that knows Tauri. */
export const tauri: Host = {
  async call(name, request) {
    try {
      return await invoke("call", { name, request });
    } catch (thrown) {
      throw CallFailure.of(thrown);
    }
  },

  async listen(heard) {
    return listen<Signal>("signal", ({ payload }) => heard(payload));
  },
};
