// Citizens who have written much: straight to the gateway, as Meta sends what has gathered, many messages to a webhook.

import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const AT_ONCE = 200;
const LINE = "106540352242922";
const NAMES = ["فاطمة الرشيدي", "خالد العازمي", "نورة المطيري", "Mohammed Al-Dosari", "عبدالرحمن بن محمد آل سعود المطيري", "حصة العجمي"];

/**
 * Hands messages to the gateway in one webhook. Each is a `text` of a citizen by `name`, who writes from the number `citizen`,
 * or as `user` without one; and now, or `ago` seconds before.
 */
export async function deliver(stage, written) {
  const secret = (await readFile(join(stage.folder, "app-secret"), "utf8")).trim();
  const now = Math.floor(Date.now() / 1000);
  const changes = written.map(({ citizen, user, name, text, ago = 0 }) => ({
    field: "messages",
    value: {
      messaging_product: "whatsapp",
      metadata: { display_phone_number: "96525371000", phone_number_id: LINE },
      contacts: [{ profile: { name }, wa_id: citizen, user_id: user }],
      messages: [{ from: citizen, from_user_id: user, id: `wamid.${randomUUID()}`, timestamp: String(now - ago), type: "text", text: { body: text } }],
    },
  }));
  const body = JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: "1", changes }] });
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const answer = await fetch(`${stage.state.gateway}/webhooks/whatsapp`, { method: "POST", headers: { "content-type": "application/json", "x-hub-signature-256": signature }, body });
  if (answer.status !== 200) throw new Error(`A webhook was answered ${answer.status}: ${await answer.text()}`);
}

/** So many conversations with one message each, and one of them with many. Gives its citizen's name, and how she writes the last of them. */
export async function fill(stage, conversations, messages) {
  const name = "صاحبة المحادثة الطويلة";
  const all = [
    ...Array.from({ length: conversations - 1 }, (_, n) => ({ citizen: `9656${String(n).padStart(7, "0")}`, name: `${NAMES[n % NAMES.length]} ${n}`, text: `${n} ${"الماي مقطوع عندنا من الفجر ".repeat(1 + (n % 4))}` })),
    ...Array.from({ length: messages }, (_, n) => ({ citizen: "96570000000", name, text: `سطر ${n + 1} ${"كلام طويل ".repeat(n % 9)}` })),
  ];
  const last = all.pop();
  for (let from = 0; from < all.length; from += AT_ONCE) await deliver(stage, all.slice(from, from + AT_ONCE));
  return { name, last: () => deliver(stage, [last]) };
}
