import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { FakeHost } from "../fixtures/host";
import { scene } from "../fixtures/scenes";
import App from "../src/App.svelte";
import type { ErrorCode } from "../src/lib/api.generated";
import { CallFailure } from "../src/lib/host";

function shown(name: string): FakeHost {
  const host = new FakeHost(scene(name));
  render(App, { host });
  return host;
}

const fill = async (fields: Record<string, string>): Promise<void> => {
  for (const [id, value] of Object.entries(fields)) await fireEvent.input(await screen.findByTestId(id), { target: { value } });
};
const button = (id: string): HTMLButtonElement => screen.getByTestId<HTMLButtonElement>(id);
const PLACE = { "sign-in-gateway": "https://desk.mew.gov.kw", "sign-in-agency": "mew", "sign-in-username": "layla" };

describe("Signing in", () => {
  test("asks for all four, and opens the desk", async () => {
    const host = shown("sign-in-known");
    await fill(PLACE);
    expect(button("sign-in-submit").disabled).toBe(true);
    await fill({ "sign-in-password": "a secret of some words" });
    await fireEvent.submit(screen.getByTestId("sign-in-form"));
    await screen.findByTestId("filter-mine");
    expect(host.last("sign_in")).toEqual({ gateway: "https://desk.mew.gov.kw", agency: "mew", username: "layla", password: "a secret of some words", code: null });
  });

  test.each<[ErrorCode, string]>([
    ["wrong_password", "غير صحيح"],
    ["unreachable", "تعذّر الوصول إلى البوابة"],
    ["slow_down", "انتظر"],
    ["bad_address", "https://"],
  ])("that fails with %s says what happened and what to do", async (code, words) => {
    const host = shown("sign-in-known");
    await fill({ ...PLACE, "sign-in-password": "x" });
    host.failing.set("sign_in", new CallFailure({ code, message: "" }));
    await fireEvent.submit(screen.getByTestId("sign-in-form"));
    const error = await screen.findByTestId("sign-in-error");
    expect(error.textContent).toContain(words);
    expect(error.getAttribute("role")).toBe("alert");
    expect(screen.getByTestId<HTMLInputElement>("sign-in-username").value).toBe("layla");
  });

  test("with a remembered account fills in all but the password", async () => {
    shown("sign-in-known");
    const [, bader] = await screen.findAllByTestId("known-account");
    await fireEvent.click(bader ?? expect.unreachable());
    expect(screen.getByTestId<HTMLInputElement>("sign-in-username").value).toBe("bader");
    expect(screen.getByTestId<HTMLInputElement>("sign-in-gateway").value).toBe("https://desk.mew.gov.kw");
    expect(document.activeElement).toBe(screen.getByTestId("sign-in-password"));
  });

  test("for the first time takes a code and a password of fifteen characters, twice the same", async () => {
    const host = shown("sign-in");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("sign-in-gateway")));
    await fill({ ...PLACE, "sign-in-code": "ABCD-EFGH", "sign-in-password": "ختم البحر جديد", "sign-in-repeat": "ختم البحر جديد" });
    expect(screen.getByTestId("rule-length").dataset.met).toBe("false");
    expect(button("sign-in-submit").disabled).toBe(true);
    await fill({ "sign-in-password": "ختم البحر جديدة" });
    expect(screen.getByTestId("rule-length").dataset.met).toBe("true");
    expect(screen.getByTestId("rule-same").dataset.met).toBe("false");
    expect(button("sign-in-submit").disabled).toBe(true);
    await fill({ "sign-in-repeat": "ختم البحر جديدة" });
    await fireEvent.submit(screen.getByTestId("sign-in-form"));
    await waitFor(() => expect(host.last("sign_in")).toMatchObject({ code: "ABCD-EFGH", password: "ختم البحر جديدة" }));
  });

  test("goes from the code to the password and back, on with what is not filled in yet", async () => {
    shown("sign-in-known");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("sign-in-username")));
    await fill({ "sign-in-username": "layla" });
    await fireEvent.click(screen.getByTestId("sign-in-first-time"));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("sign-in-code")));
    await fireEvent.click(screen.getByTestId("sign-in-first-time"));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("sign-in-password")));
  });

  test("shows and hides a password", async () => {
    shown("sign-in");
    const field = await screen.findByTestId<HTMLInputElement>("sign-in-password");
    expect(field.type).toBe("password");
    await fireEvent.click(screen.getByTestId("sign-in-password-show"));
    expect(field.type).toBe("text");
  });
});

describe("The locked screen", () => {
  test("opens the last account with its password, and forgets a wrong one", async () => {
    const host = shown("locked");
    await fill({ "unlock-password": "wrong" });
    host.failing.set("unlock", new CallFailure({ code: "wrong_password", message: "" }));
    await fireEvent.submit(screen.getByTestId("unlock-form"));
    await screen.findByTestId("unlock-error");
    expect(screen.getByTestId<HTMLInputElement>("unlock-password").value).toBe("");
    await fill({ "unlock-password": "right" });
    await fireEvent.submit(screen.getByTestId("unlock-form"));
    await screen.findByTestId("filter-mine");
    expect(host.last("unlock")).toEqual({ account: "a1", password: "right" });
  });

  test("leads to signing in as somebody else, and back", async () => {
    shown("locked");
    await fireEvent.click(await screen.findByTestId("unlock-other"));
    await fireEvent.click(await screen.findByTestId("sign-in-back"));
    await screen.findByTestId("unlock-form");
  });

  test("comes when one locks, after what is half written was saved", async () => {
    const host = shown("crowded");
    const rows = await screen.findAllByTestId("conversation-row");
    await fireEvent.click(rows[0] ?? expect.unreachable());
    await fireEvent.input(await screen.findByTestId("composer-text"), { target: { value: "نصف" } });
    await fireEvent.click(screen.getByTestId("me"));
    await fireEvent.click((await screen.findByTestId("me-menu")).querySelector("[data-choice=lock]") ?? expect.unreachable());
    await screen.findByTestId("unlock-form");
    const names = host.asked.map(({ name }) => name);
    expect(names.indexOf("save_draft")).toBeGreaterThan(0);
    expect(names.indexOf("save_draft")).toBeLessThan(names.indexOf("lock"));
  });

  test("comes when the desk says so, and nothing of the inbox stays", async () => {
    const host = shown("crowded");
    await screen.findAllByTestId("conversation-row");
    host.scene.start = { ...host.scene.start, phase: "locked", me: null };
    host.say({ event: "session" });
    await screen.findByTestId("unlock-form");
    expect(screen.queryAllByTestId("conversation-row")).toEqual([]);
  });
});
