/** What a screen needs and another program does not: marks of direction and isolation, and what has no width. */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** A field as another system takes it: Western digits, plain spaces, no marks of direction. */
export function clean(text: string): string {
  return text
    .replace(UNSEEN, "")
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/gu, (digit) => String((digit.codePointAt(0) ?? 0) & 15))
    .replace(/[\u00a0\u202f]/gu, " ")
    .trim();
}

/** Puts a text into the system's clipboard. */
export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

/** What somebody selects and copies by hand comes without the marks with which the interface isolates what it inserts. */
export function copied(event: ClipboardEvent): void {
  const text = document.getSelection()?.toString() ?? "";
  const isolates = /[\u2066-\u2069]/gu;
  if (!isolates.test(text) || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
  event.clipboardData?.setData("text/plain", text.replace(isolates, ""));
  event.preventDefault();
}
