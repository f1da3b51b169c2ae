import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { FakeHost } from "../fixtures/host";
import { type Scene, scene } from "../fixtures/scenes";
import App from "../src/App.svelte";

function shown(name: string, change: (scene: Scene) => Scene = (same) => same): FakeHost {
  const host = new FakeHost(change(scene(name)));
  render(App, { host });
  return host;
}

const done = (): (string | undefined)[] => screen.getAllByTestId("first-step").map(({ dataset }) => dataset.done);

describe("A first run", () => {
  test("says what comes next in an empty inbox: how a first message comes, and for a lead how to share out", async () => {
    shown("first-run");
    const steps = await screen.findByTestId("first-steps");
    expect(steps.textContent).toContain("+965 2220 0000");
    expect(steps.textContent).toContain("«إسناد» يعطيها لزميل");
    expect(done()).toEqual(["false", "false", "false"]);
    expect(screen.getAllByTestId("first-step").map((step) => step.getAttribute("aria-current"))).toEqual(["step", null, null]);
  });

  test("leads an agent without what only a lead may do", async () => {
    shown("first-run", (same) => ({ ...same, me: { ...same.me, can: { ...same.me.can, assign: false } }, start: { ...same.start, me: { ...same.me, can: { ...same.me.can, assign: false } } }, first: { todo: ["answer"], lines: [] } }));
    expect((await screen.findByTestId("first-steps")).textContent).not.toContain("«إسناد»");
  });

  test("goes on in the conversation, and is gone with the first answer", async () => {
    const host = shown("first-message");
    await screen.findByTestId("first-steps");
    expect(done()).toEqual(["true", "false", "false"]);
    await fireEvent.click(await screen.findByTestId("conversation-row"));
    const hint = await screen.findByTestId("first-hint");
    expect(hint.dataset.step).toBe("share");
    await fireEvent.click(within(hint).getByTestId("first-hint-known"));
    await waitFor(() => expect(screen.getByTestId("first-hint").dataset.step).toBe("answer"));
    expect(host.last("step_done")).toEqual({ step: "share" });
    // The desk knows that it was answered; the window asks when the conversation changes.
    host.scene.first = { ...host.scene.first, todo: [] };
    host.say({ event: "changed", conversations: ["fatima"], all: false });
    await waitFor(() => expect(screen.queryByTestId("first-hint")).toBeNull());
    expect((await screen.findByTestId("said")).textContent).toContain("انطلق أول رد لك");
    await fireEvent.click(screen.getByTestId("conversation-close"));
    await screen.findByTestId("nothing-open");
    expect(screen.queryByTestId("first-steps")).toBeNull();
  });

  test("is waved away by who knows it, and asks no more", async () => {
    const host = shown("first-run");
    await fireEvent.click(await screen.findByTestId("first-known"));
    await waitFor(() => expect(screen.queryByTestId("first-steps")).toBeNull());
    await waitFor(() => expect(host.asked.filter(({ name }) => name === "step_done").map(({ request }) => request)).toEqual([{ step: "answer" }, { step: "share" }]));
    expect(screen.queryByTestId("said")?.textContent ?? "").toBe("");
  });

  test("leads nobody who has begun", async () => {
    shown("crowded");
    await screen.findByTestId("nothing-open");
    expect(screen.queryByTestId("first-steps")).toBeNull();
  });
});
