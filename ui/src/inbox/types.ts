import type { Contact } from "../lib/api.generated";
import { t, tOr } from "../lib/i18n";

/** A type of message by name; WhatsApp's own word where there is none yet. */
export function typeName(type: string): string {
  return tOr(`type-${type}`, "type-unknown", { type });
}

/** What a contact is called, as plain text for a label. */
export function calledOf({ name, phone, short_code }: Contact): string {
  return name ?? phone ?? t("contact-code", { code: short_code });
}
