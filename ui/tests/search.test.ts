import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { scene } from "../fixtures/scenes";
import App from "../src/App.svelte";
import type { Found } from "../src/lib/api.generated";
import { rangesIn } from "../src/search/highlight";

function shown(): FakeHost {
  const host = new FakeHost(scene("crowded"));
  render(App, { host });
  return host;
}

const press = (key: string, more: Partial<KeyboardEvent> = {}) => fireEvent.keyDown(document.activeElement ?? document.body, { key, code: key, bubbles: true, ...more });
const type = (field: HTMLElement, value: string) => fireEvent.input(field, { target: { value } });

async function opened(): Promise<HTMLElement> {
  await screen.findAllByTestId("conversation-row");
  await press("/", { code: "Slash" });
  return screen.findByTestId("search-query");
}

describe("The search over everything", () => {
  test("begins with what was searched for lately and with what can be typed", async () => {
    const host = shown();
    const query = await opened();
    await waitFor(() => expect(screen.getAllByTestId("search-recent")).toHaveLength(3));
    expect(screen.getAllByTestId("search-operator")).toHaveLength(5);
    const [operator] = screen.getAllByTestId("search-operator");
    if (operator !== undefined) await fireEvent.click(operator);
    await waitFor(() => expect((query as HTMLInputElement).value).toBe("من:"));
    await type(query, "");
    await fireEvent.click(await screen.findByTestId("search-forget"));
    await waitFor(() => expect(screen.queryAllByTestId("search-recent")).toHaveLength(0));
    expect(host.times("forget_searches")).toBe(1);
  });

  test("shows as one types, and opens a message in its place with the keyboard alone", async () => {
    const host = shown();
    const query = await opened();
    await type(query, "بلاغ");
    const texts = await screen.findAllByTestId("search-text");
    expect(texts[0]?.querySelector("mark")?.textContent).toBe("بلاغ");
    const before = host.scene.pages.size;
    expect(before).toBeGreaterThan(0);
    await press("ArrowDown");
    await press("ArrowUp");
    await press("Enter");
    await screen.findByTestId("conversation");
    expect(screen.queryByTestId("search")).toBeNull();
    expect(host.last("keep_search")?.text).toBe("بلاغ");
    // Opened again, the last one stands there.
    await press("KeyF", { altKey: true });
    const again = await screen.findByTestId("search-query");
    expect((again as HTMLInputElement).value).toBe("بلاغ");
  });

  test("opens what was typed, however fast Enter comes, never what an earlier text had found", async () => {
    const host = shown();
    const query = await opened();
    await type(query, "الفريق");
    const earlier = (await screen.findAllByTestId("search-text"))[0]?.textContent;
    let answer = (): void => expect.unreachable();
    host.held.set("search", new Promise((resolve) => (answer = resolve)));
    await type(query, "بلاغ");
    await press("Enter");
    expect(screen.getAllByTestId("search-text")[0]?.textContent).toBe(earlier);
    expect(screen.queryByTestId("conversation")).toBeNull();
    answer();
    await screen.findByTestId("conversation");
    expect(screen.queryByTestId("search")).toBeNull();
    expect(host.last("keep_search")?.text).toBe("بلاغ");
  });

  test("says what it did not understand and what to try when nothing is found", async () => {
    shown();
    await type(await opened(), "قبل:العيد");
    expect((await screen.findByTestId("search-unclear")).textContent).toContain("قبل:العيد");
    expect(await screen.findByTestId("search-none")).toBeDefined();
  });

  test("goes on by itself where a page has nothing, until something is found or all was looked through", async () => {
    const host = shown();
    const query = await opened();
    const call = host.call.bind(host);
    const empty = { people: [], cases: [], unsent: [], texts: [], unclear: [], indexed: null };
    const pages: Found[] = [{ ...empty, more: 900 }, { ...empty, more: 500 }];
    vi.spyOn(host, "call").mockImplementation((name, request) => {
      const page = name === "search" ? pages.shift() : undefined;
      return page === undefined ? call(name, request) : Promise.resolve(page);
    });
    await type(query, "بلاغ");
    expect(await screen.findAllByTestId("search-text")).not.toHaveLength(0);
    expect(screen.queryByTestId("search-none")).toBeNull();
    expect(host.last("search")).toEqual({ text: "بلاغ", below: 500, limit: 30 });
    pages.push({ ...empty, more: 900 }, { ...empty, more: null });
    await type(query, "لا شيء منه");
    expect(await screen.findByTestId("search-none")).toBeDefined();
    expect(pages).toEqual([]);
  });

  test("shows what was not sent as what it is, and goes to where it is", async () => {
    const host = new FakeHost(scene("offline"));
    render(App, { host });
    await type(await opened(), "الفريق");
    const found = await screen.findAllByTestId("search-unsent");
    const stage = (line: HTMLElement): string | undefined => line.querySelector<HTMLElement>("[data-stage]")?.dataset.stage;
    expect(found.map(stage)).toEqual(["stuck", "stuck"]);
    await type(screen.getByTestId("search-query"), "أولاً بأول");
    const [draft] = await screen.findAllByTestId("search-unsent");
    await waitFor(() => expect(screen.getAllByTestId("search-unsent").map(stage)).toEqual(["draft"]));
    await fireEvent.click(screen.getAllByTestId("search-unsent")[0] ?? draft ?? expect.unreachable());
    await waitFor(() => expect(host.last("showing")?.conversation).toBe("khalid"));
  });

  test("says that it failed", async () => {
    const host = shown();
    const query = await opened();
    await type(query, "بلاغ");
    await screen.findAllByTestId("search-text");
    const { CallFailure } = await import("../src/lib/host");
    host.failing.set("search", new CallFailure({ code: "failed", message: "x" }));
    await type(query, "بلاغك");
    expect(await screen.findByTestId("search-error")).toBeDefined();
  });
});

describe("The search in a conversation", () => {
  test("counts, goes around by keyboard, and ends with Escape", async () => {
    const host = shown();
    await fireEvent.click(await screen.findByTestId("filter-open"));
    const rows = await screen.findAllByTestId("conversation-row");
    const row = rows.find((each) => each.dataset.conversation === "khalid");
    if (row !== undefined) await fireEvent.click(row);
    await screen.findByTestId("messages");
    await press("KeyF", { ctrlKey: true });
    const query = await screen.findByTestId("find-query");
    await type(query, "بلاغ");
    const count = (): string => screen.getByTestId("find-count").textContent.replace(/[\u2066-\u2069]/gu, "");
    await waitFor(() => expect(count()).toMatch(/^1 من \d+$/u));
    const all = Number(/\d+$/u.exec(count())?.[0]);
    expect(all).toBeGreaterThan(1);
    query.focus();
    await press("Enter");
    expect(count()).toBe(`2 من ${all}`);
    await press("Enter", { shiftKey: true });
    await press("Enter", { shiftKey: true });
    expect(count()).toBe(`${all} من ${all}`);
    // Faster than the answer, Enter does not step through what an earlier text had found.
    let answer = (): void => expect.unreachable();
    host.held.set("search_in", new Promise((resolve) => (answer = resolve)));
    await type(query, "البلاغ");
    await press("Enter");
    expect(count()).toBe(`${all} من ${all}`);
    answer();
    await waitFor(() => expect(count()).toMatch(/^1 من /u));
    await type(query, "لا شيء من هذا");
    await waitFor(() => expect(count()).toBe("لا نتائج"));
    await press("Escape");
    expect(screen.queryByTestId("find")).toBeNull();
    expect(screen.getByTestId("conversation")).toBeDefined();
  });

  test("marks what was found across links, without what the window adds to them", () => {
    const element = (name: string, className: string, ...inside: (string | Node)[]): HTMLElement => {
      const made = document.createElement(name);
      made.className = className;
      made.append(...inside);
      return made;
    };
    const link = element("bdi", "link", "https://", element("strong", "", "mew.gov.kw"), "/x");
    const text = element("span", "text", "انظر ", link, element("bdi", "real", "→ pay.example"), " عداد");
    const marks = [{ from: 13, to: 23 }, { from: 26, to: 30 }];
    expect(rangesIn(text, { position: { place: 0, seq: 1 }, id: "m", marks }).map(String)).toEqual(["mew.gov.kw", "عداد"]);
  });
});
