import Bell from "@lucide/svelte/icons/bell";
import KeyboardIcon from "@lucide/svelte/icons/keyboard";
import Languages from "@lucide/svelte/icons/languages";
import Monitor from "@lucide/svelte/icons/monitor";
import Palette from "@lucide/svelte/icons/palette";
import type { Component } from "svelte";
import type { Inbox } from "../inbox/inbox.svelte";
import type { Session } from "../session/session.svelte";
import Computer from "./Computer.svelte";
import Keyboard from "./Keyboard.svelte";
import Look from "./Look.svelte";
import Notifications from "./Notifications.svelte";
import Words from "./Words.svelte";

/** A page of the settings. Its name is `section-` and its id in the catalogues. */
export interface Section {
  id: string;
  icon: Component<{ size?: number | string }>;
  page: Component<{ desk: Inbox; session: Session }>;
}

/** In the order in which they stand at the side. */
export const SECTIONS: readonly Section[] = [
  { id: "words", icon: Languages, page: Words },
  { id: "look", icon: Palette, page: Look },
  { id: "keyboard", icon: KeyboardIcon, page: Keyboard },
  { id: "notifications", icon: Bell, page: Notifications },
  { id: "computer", icon: Monitor, page: Computer },
];
