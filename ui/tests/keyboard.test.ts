import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { row, type Scene, scene } from "../fixtures/scenes";
import { caps } from "../src/actions/shortcut";
import App from "../src/App.svelte";
import { Inbox } from "../src/inbox/inbox.svelte";
import { Session } from "../src/session/session.svelte";

function shown(change: (scene: Scene) => Scene = (same) => same): FakeHost {
  const host = new FakeHost(change(scene("crowded")));
  render(App, { host });
  return host;
}

const rowOf = async (id: string): Promise<HTMLElement> => {
  const rows = await screen.findAllByTestId("conversation-row");
  return rows.find((row) => row.dataset.conversation === id) ?? expect.unreachable(`No row ${id}`);
};

const press = (code: string, more: Partial<KeyboardEvent> = {}, on: Element = document.activeElement ?? document.body) => fireEvent.keyDown(on, { code, key: code, bubbles: true, ...more });
const CTRL = { ctrlKey: true };
const ALT = { altKey: true };

async function open(id: string): Promise<void> {
  await fireEvent.click(await screen.findByTestId("filter-open"));
  await fireEvent.click(await rowOf(id));
  await screen.findByTestId("messages");
}

describe("The actions", () => {
  const session = new Session(new FakeHost(scene("crowded")));
  const { all } = new Inbox(new FakeHost(scene("crowded")), scene("crowded").me, new Map(), session).actions;

  test("have one id and one shortcut each, none with the keys of direction and layout", () => {
    const ids = all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const keys = all.flatMap(({ shortcuts }) => shortcuts.map((shortcut) => caps(shortcut).join("+")));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => key.includes("Shift"))).toEqual([]);
  });

  test("that are done with a single key are done with a modifier too", () => {
    const alone = all.filter(({ shortcuts }) => shortcuts.length > 0 && shortcuts.every((shortcut) => shortcut.with === undefined));
    expect(alone.map(({ id }) => id)).toEqual([]);
  });
});

describe("The palette", () => {
  test("is found by words of either language, and acts on the open conversation", async () => {
    const host = shown();
    await open("fatima");
    await press("KeyK", CTRL);
    expect((await screen.findByTestId("palette-about")).textContent).toContain("فاطمة العلي");
    const query = screen.getByTestId("palette-query");
    await fireEvent.input(query, { target: { value: "assign" } });
    expect(screen.getAllByTestId("palette-line")[0]?.dataset.line).toBe("assign");
    await fireEvent.input(query, { target: { value: "الاسناد" } });
    expect(screen.getAllByTestId("palette-line")[0]?.dataset.line).toBe("assign");
    await press("Enter", { key: "Enter" }, query);
    await waitFor(() => expect(screen.getAllByTestId("palette-line")).toHaveLength(3));
    await press("ArrowDown", { key: "ArrowDown" }, query);
    await press("Enter", { key: "Enter" }, query);
    await waitFor(() => expect(host.last("assign")).toEqual({ case: "case-fatima", staff: "s2" }));
    expect(screen.queryByTestId("palette")).toBeNull();
  });

  test("does by Enter what was typed once there is something to choose, and nothing before", async () => {
    const host = shown();
    await open("fatima");
    let answer = (): void => expect.unreachable("Nothing was asked");
    host.held.set("assignable", new Promise((ready) => (answer = ready)));
    await press("KeyA", ALT);
    const query = await screen.findByTestId("palette-query");
    const [, second] = scene("crowded").people;
    await fireEvent.input(query, { target: { value: second?.name ?? "" } });
    await press("Enter", { key: "Enter" }, query);
    expect(host.times("assign")).toBe(0);
    answer();
    await waitFor(() => expect(host.last("assign")).toEqual({ case: "case-fatima", staff: second?.staff }));
    expect(screen.queryByTestId("palette")).toBeNull();
  });

  test("offers nothing that cannot be done now", async () => {
    shown();
    await rowOf("fatima");
    await press("KeyK", CTRL);
    const offered = (await screen.findAllByTestId("palette-line")).map((line) => line.dataset.line);
    expect(offered).toContain("settings");
    for (const act of ["claim", "close", "reply", "copy-number", "recall"]) expect(offered).not.toContain(act);
  });

  test("opens a conversation by half a name", async () => {
    const host = shown();
    await rowOf("fatima");
    await press("KeyK", CTRL);
    await fireEvent.input(await screen.findByTestId("palette-query"), { target: { value: "مريم" } });
    await press("Enter", { key: "Enter" }, screen.getByTestId("palette-query"));
    await waitFor(() => expect(host.last("showing")?.conversation).toBe("maryam"));
  });
});

describe("Single keys", () => {
  test("are shortcuts outside of texts alone", async () => {
    const host = shown();
    await open("fatima");
    const text = screen.getByTestId("composer-text");
    text.focus();
    await press("KeyC", { key: "ؤ" }, text);
    expect(host.times("claim")).toBe(0);
    await press("KeyC", { key: "ؤ", ...ALT }, text);
    await waitFor(() => expect(host.last("claim")).toEqual({ case: "case-fatima" }));
    screen.getByTestId("messages").focus();
    await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("claim").disabled).toBe(false));
    await press("KeyC", { key: "ؤ" });
    await waitFor(() => expect(host.times("claim")).toBe(2));
  });

  test("are none when the person turned them off", async () => {
    const host = shown((same) => ({ ...same, start: { ...same.start, settings: { ...same.start.settings, single_keys: false } } }));
    await open("fatima");
    screen.getByTestId("messages").focus();
    await press("KeyC", { key: "c" });
    await press("Slash", { key: "?", shiftKey: true });
    expect(screen.queryByTestId("keys-sheet")).toBeNull();
    expect(host.times("claim")).toBe(0);
    await press("Slash", { key: "ظ", ...CTRL });
    expect(await screen.findByTestId("keys-sheet")).toBeTruthy();
  });
});

describe("The sheet of shortcuts", () => {
  test("shows every action that has one, and what the buttons say is the same", async () => {
    shown();
    await open("fatima");
    expect(screen.getByTestId("claim").title.replace(/[\u2066-\u2069]/gu, "")).toBe("استلام الطلب (Alt+C)");
    expect(screen.getByTestId("claim").getAttribute("aria-keyshortcuts")).toBe("Alt+C C");
    await press("Slash", { key: "؟", shiftKey: true }, document.body);
    const sheet = await screen.findByTestId("keys-sheet");
    const line = within(sheet).getAllByTestId("keys-line").find(({ dataset }) => dataset.action === "claim");
    expect(line?.textContent).toContain("استلام الطلب");
    expect(line?.textContent).toMatch(/Alt\+C/u);
  });
});

describe("Several selected", () => {
  test("are claimed at once, those that can be", async () => {
    const host = shown();
    await fireEvent.click(await screen.findByTestId("filter-open"));
    for (const id of ["fatima", "code", "jaber"]) await fireEvent.click(await rowOf(id), CTRL);
    expect(screen.getByTestId("selected-count").textContent).toMatch(/3\u2069 محادثات/u);
    await fireEvent.click(screen.getByTestId("selected-claim"));
    await waitFor(() => expect(host.times("claim")).toBe(2));
    expect(host.asked.filter(({ name }) => name === "claim").map(({ request }) => request)).toEqual([{ case: "case-code" }, { case: "case-jaber" }]);
  });

  test("grow with Shift and the arrows, and Escape lets them go before anything else", async () => {
    shown();
    const first = await rowOf("fatima");
    first.focus();
    await press("ArrowDown", { key: "ArrowDown", shiftKey: true });
    await press("ArrowDown", { key: "ArrowDown", shiftKey: true });
    expect(screen.getByTestId("selected-count").textContent).toContain("3");
    await press("Escape", { key: "Escape" });
    expect(screen.queryByTestId("selected")).toBeNull();
  });
});

describe("The focus", () => {
  test("goes to the next row when its row went away", async () => {
    const host = shown();
    const second = await rowOf("khalid");
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    second.focus();
    await press("KeyU", { key: "u" });
    host.scene.rows = host.scene.rows.filter(({ conversation }) => conversation !== "khalid");
    host.say({ event: "changed", conversations: [], all: true });
    await waitFor(() => expect(host.times("release")).toBe(1));
    second.remove();
    await waitFor(() => expect((document.activeElement as HTMLElement | null)?.dataset.testid).toBe("conversation-row"));
  });
});

describe("Copying a field", () => {
  test("takes its clean text", async () => {
    const wrote = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(wrote);
    shown();
    await open("khalid");
    await press("KeyP", ALT);
    expect(wrote).toHaveBeenLastCalledWith("+96566041187");
    await press("KeyQ", ALT);
    expect(wrote).toHaveBeenLastCalledWith("MEW-2026-000184");
    expect((await screen.findByTestId("said")).textContent).toContain("نُسخ رقم الطلب");
  });
});

describe("Sending", () => {
  test("goes by Enter or by Ctrl+Enter, as the person chose", async () => {
    const host = shown((same) => ({ ...same, start: { ...same.start, settings: { ...same.start.settings, send_with: "ctrl_enter" } } }));
    await open("fatima");
    const text = screen.getByTestId("composer-text");
    await fireEvent.input(text, { target: { value: "تم" } });
    await press("Enter", { key: "Enter" }, text);
    expect(host.times("send_reply")).toBe(0);
    await press("Enter", { key: "Enter", ...CTRL }, text);
    await waitFor(() => expect(host.times("send_reply")).toBe(1));
  });
});

test("Contacts of one name are told apart, and one without a number has a code", async () => {
  const name = "أحمد الخالدي";
  shown((same) => ({ ...same, rows: [row("n1", { contact: { name, phone: "+965 6604 1187", short_code: "K7M2" } }), row("n2", { contact: { name: "احمد الخالدى", phone: null, short_code: "R8TN" } })] }));
  expect(within(await rowOf("n1")).getByTestId("row-alike").textContent).toBe("1187");
  expect(within(await rowOf("n2")).queryByTestId("row-alike"), "Its code is said once").toBeNull();
  for (const words of ["بلا رقم ظاهر", "R8TN"]) expect(within(await rowOf("n2")).getByTestId("no-number").textContent).toContain(words);
});
