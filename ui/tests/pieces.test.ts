import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { message, NOW, scene } from "../fixtures/scenes";
import App from "../src/App.svelte";
import { pieces } from "../src/lib/format/pieces";
import { CallFailure } from "../src/lib/host";

const whole = (text: string): string => pieces(text).map((piece) => ("text" in piece ? piece.text : "host" in piece ? piece.before + piece.host + piece.after : piece.figure)).join("");
const links = (text: string) => pieces(text).flatMap((piece) => ("host" in piece ? [piece] : []));
const figures = (text: string): string[] => pieces(text).flatMap((piece) => ("figure" in piece ? [piece.clean] : []));

describe("Addresses in a text", () => {
  test.each([
    ["انظر https://mew.gov.kw/pay?a=1، وشكراً", "mew.gov.kw", null],
    ["www.mew.gov.kw.", "www.mew.gov.kw", null],
    ["(https://mew.gov.kw.pay.example/kw)", "mew.gov.kw.pay.example", null],
    ["HTTPS://MEW.gov.kw/A", "MEW.gov.kw", null],
    ["https://mew.gov.kw:8443/x", "mew.gov.kw", null],
    // What stands before an @ is no host, whatever it looks like.
    ["https://mew.gov.kw@pay.example/login", "pay.example", "pay.example"],
    ["https://mew.gov.kw:443@pay.example:8080/x", "pay.example", "pay.example"],
    ["https://mew.gov.kw%2Flogin@pay.example/", "pay.example", "pay.example"],
    ["https://pay.example\\@mew.gov.kw/", "pay.example", null],
    // Letters of several scripts in one name: a Cyrillic е; Cyrillic throughout; a Latin i in Arabic.
    ["https://m\u0435w.gov.kw/", "m\u0435w.gov.kw", "xn--mw-nlc.gov.kw"],
    ["https://\u0430\u0440\u0440\u04cf\u0435.com", "\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com"],
    // One alphabet throughout needs no other spelling; the Persian kaf and yeh are not of it.
    ["https://موقع.شركة/دفع", "موقع.شركة", null],
    ["https://الكويت.شركة", "الكويت.شركة", null],
    ["https://الکویت.شركة", "الکویت.شركة", "xn--mgbg1fqa89bzg.xn--ogbpi5d"],
    ["https://موقع.شركة.com/", "موقع.شركة.com", "xn--4gbrim.xn--ogbpi5d.com"],
    // Wide letters, a written-out dot, what is not seen, a host by number.
    ["https://ｍｅｗ.gov.kw", "ｍｅｗ.gov.kw", "mew.gov.kw"],
    ["https://mew%2egov.kw/", "mew%2egov.kw", "mew.gov.kw"],
    ["https://m\u00adew.gov.kw/", "m\u00adew.gov.kw", "mew.gov.kw"],
    ["https://2130706433/", "2130706433", "127.0.0.1"],
    ["https://0x7f.1/", "0x7f.1", "127.0.0.1"],
  ])("%s leads to %s", (text, host, real) => {
    expect(links(text).map((link) => [link.host, link.real])).toEqual([[host, real]]);
    expect(whole(text), "Nothing is lost").toBe(text);
  });

  test.each(["لا رابط هنا", "3.5 و 2026/11/22", "https://", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://mew.gov.kw", "tel:66041187", "mailto:a@b.kw"])("%s has none", (text) => {
    expect(links(text)).toEqual([]);
    expect(whole(text)).toBe(text);
  });

  test("end where a mark of direction begins, which could turn the rest around", () => {
    const [link] = links("https://mew.gov.kw/\u202efdp.exe");
    expect(link?.after).toBe("/");
    expect(links("\u202ehttps://mew.gov.kw\u202c").map(({ host, real }) => [host, real])).toEqual([["mew.gov.kw", null]]);
  });

  test.each([
    ["https://mew.gov.kw/", false],
    ["http://mew.gov.kw/", false],
    ["https://موقع.شركة/", false],
    ["https://a@mew.gov.kw/", true],
    ["https://m\u0435w.gov.kw/", true],
    ["http://192.168.1.1/reset", true],
    ["http://[::1]:80/", true],
    ["http://intranet/x", true],
  ])("%s is doubtful: %s", (text, doubtful) => {
    expect(links(text)[0]?.doubtful).toBe(doubtful);
  });
});

describe("Numbers in a text", () => {
  test.each([
    ["رقمي 66041187", ["66041187"]],
    ["رقمي ٦٦٠٤١١٨٧ شكراً", ["66041187"]],
    ["الرقم:۶۶۰۴۱۱۸۷", ["66041187"]],
    ["+965 6604 1187", ["+96566041187"]],
    ["00965-6604-1187", ["0096566041187"]],
    ["+965 66041187", ["+96566041187"]],
    ["\u200e+965\u00a06604\u202f1187\u200f", ["+96566041187"]],
    ["66\u200f04\u200f11\u200f87", ["66041187"]],
    ["الرقم المدني ٢٨٤٠ ١٠١٠ ٠١٢٣", ["284010100123"]],
    ["284010100123 والهاتف 66041187", ["284010100123", "66041187"]],
    ["66041187 99887766", ["66041187", "99887766"]],
    ["66041187\n99887766", ["66041187", "99887766"]],
    ["66041187/99887766", ["66041187", "99887766"]],
    ["بلاغ MEW-2026-000184.", ["MEW-2026-000184"]],
    ["بلاغ mew-٢٠٢٦-٠٠٠١٨٤", ["MEW-2026-000184"]],
    ["عداد 88412، وغيره", ["88412"]],
    // Days, years, amounts, times, short ones, parts of words and addresses are none.
    ["22-11-2026 و 2026/11/22 وسنة 2026", []],
    ["المبلغ 12345.500 دينار", []],
    ["المبلغ ١٢٣٤٥٫٥٠٠", []],
    ["الساعة 12:30 قطعة 3 شارع 25 منزل 1234", []],
    ["abc12345 12345xyz x@12345", []],
    ["https://mew.gov.kw/88412?id=123456789", []],
    ["", []],
  ])("%j has %j", (text, wanted) => {
    expect(figures(text)).toEqual(wanted);
    expect(whole(text)).toBe(text);
  });
});

describe("What is picked out of a message", () => {
  async function shown(...texts: string[]): Promise<FakeHost> {
    const host = new FakeHost(scene("crowded"));
    const page = host.scene.pages.get("fatima");
    if (page !== undefined) page.items = texts.map((text, at) => message({ place: NOW + at, text }));
    render(App, { host });
    const rows = await screen.findAllByTestId("conversation-row");
    await fireEvent.click(rows.find((row) => row.dataset.conversation === "fatima") ?? expect.unreachable());
    await screen.findByTestId("messages");
    return host;
  }
  const key = (code: string): Promise<boolean> => fireEvent.keyDown(document.body, { code, key: code, altKey: true });
  const wrote = (): ReturnType<typeof vi.fn> => {
    const wrote = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(wrote);
    return wrote;
  };

  test("is no link of the browser's, and a plain one is opened outside at once", async () => {
    const host = await shown("ادفع في https://mew.gov.kw/pay");
    const link = screen.getByTestId("link");
    expect(document.querySelectorAll("a, [href]")).toHaveLength(0);
    await fireEvent.click(link);
    await waitFor(() => expect(host.last("open_link")).toEqual({ link: "https://mew.gov.kw/pay", host: "mew.gov.kw" }));
    await waitFor(() => expect(screen.getByTestId("said").textContent).toContain("mew.gov.kw"));
  });

  test("is opened only after the person agrees, where it may lead elsewhere than it seems to", async () => {
    const host = await shown("https://mew.gov.kw@pay.example/login");
    await fireEvent.keyDown(screen.getByTestId("link"), { key: "Enter" });
    expect((await screen.findByTestId("link-ask-host")).textContent).toBe("pay.example");
    await fireEvent.click(screen.getByTestId("ask-cancel"));
    await waitFor(() => expect(screen.queryByTestId("link-ask")).toBeNull());
    expect(host.times("open_link")).toBe(0);
    await key("KeyH");
    await fireEvent.click(await screen.findByTestId("ask-confirm"));
    await waitFor(() => expect(host.last("open_link")).toEqual({ link: "https://mew.gov.kw@pay.example/login", host: "pay.example" }));
  });

  test("and cannot be opened is said", async () => {
    const host = await shown("https://mew.gov.kw/");
    host.failing.set("open_link", new CallFailure({ code: "bad_link", message: "x" }));
    await fireEvent.click(screen.getByTestId("link"));
    expect((await screen.findByTestId("conversation-error")).textContent).toContain("هذا الرابط لا يُفتح");
    expect(screen.getByTestId("said").textContent).toBe("");
  });

  test("is a number copied clean by a click, or by one key where it is the only one", async () => {
    const copied = wrote();
    await shown("الهاتف \u200e+965 6604 1187");
    await fireEvent.click(screen.getByTestId("figure"));
    expect(copied).toHaveBeenLastCalledWith("+96566041187");
    copied.mockClear();
    await key("KeyM");
    await waitFor(() => expect(copied).toHaveBeenLastCalledWith("+96566041187"));
  });

  test("is chosen among several numbers, the latest first and each once", async () => {
    const copied = wrote();
    await shown("المدني ٢٨٤٠١٠١٠٠١٢٣", "الهاتف 66041187", "أكرر 66041187");
    await key("KeyM");
    await waitFor(() => expect(screen.getAllByTestId("palette-line").map(({ textContent }) => textContent.trim())).toEqual(["66041187", "284010100123"]));
    await fireEvent.keyDown(screen.getByTestId("palette-query"), { key: "ArrowDown" });
    await fireEvent.keyDown(screen.getByTestId("palette-query"), { key: "Enter" });
    await waitFor(() => expect(copied).toHaveBeenLastCalledWith("284010100123"));
  });
});
