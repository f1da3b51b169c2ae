import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeHost } from "../fixtures/host";
import { scene } from "../fixtures/scenes";
import App from "../src/App.svelte";
import { CallFailure } from "../src/lib/host";
import { TONES } from "../src/lib/chime";

const begun: number[] = [];

/** As much of a browser's sound as our own sounds use. */
class Node {
  gain = { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined };
  connect<T>(to: T): T {
    return to;
  }
  start(at: number): void {
    begun.push(at);
  }
  stop(): void {
    // It rings out.
  }
}

beforeEach(() => {
  begun.length = 0;
  vi.stubGlobal("OscillatorNode", Node);
  vi.stubGlobal("GainNode", Node);
  vi.stubGlobal("AudioContext", class {
    currentTime = 0;
    destination = {};
    resume = (): Promise<void> => Promise.resolve();
  });
});

async function shown(section: string, name = "crowded"): Promise<FakeHost> {
  const host = new FakeHost(scene(name));
  render(App, { host });
  await fireEvent.click(await screen.findByTestId("settings-open"));
  await fireEvent.click(await screen.findByTestId(`section-${section}`));
  return host;
}

const checked = (id: string): boolean => screen.getByTestId<HTMLInputElement>(id).checked;

describe("The sections", () => {
  test("are gone through by the arrows, and only the chosen one is reached by Tab", async () => {
    await shown("words");
    const press = (key: string): Promise<boolean> => fireEvent.keyDown(document.activeElement ?? document.body, { key });
    screen.getByTestId("section-words").focus();
    await press("ArrowDown");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("section-look")));
    expect(screen.getByTestId("set-theme")).toBeTruthy();
    await press("ArrowUp");
    await press("ArrowUp");
    await waitFor(() => expect(screen.getByTestId("section-computer").getAttribute("aria-selected")).toBe("true"));
    const reached = screen.getAllByRole("tab", { hidden: true }).filter(({ tabIndex }) => tabIndex === 0);
    expect(reached).toEqual([screen.getByTestId("section-computer")]);
  });
});

describe("Notifications", () => {
  test("say what the system does with them, and look again when the person comes back", async () => {
    const host = await shown("notifications");
    await waitFor(() => expect(screen.getByTestId("notices").dataset.notices).toBe("shown"));
    host.scene.system = { notifications: "paused", starts: false };
    await fireEvent.focus(window);
    await waitFor(() => expect(screen.getByTestId("notices").textContent).toContain("عدم الإزعاج"));
  });

  test("are tried, and a trial that fails is said", async () => {
    const host = await shown("notifications");
    await fireEvent.click(screen.getByTestId("try-notification"));
    await waitFor(() => expect(screen.getByTestId("notices").textContent).toContain("أُرسل إشعار"));
    expect(host.times("try_notification")).toBe(1);
    host.failing.set("try_notification", new CallFailure({ code: "failed", message: "" }));
    await fireEvent.click(screen.getByTestId("try-notification"));
    await screen.findByTestId("notices-error");
    expect(screen.getByTestId("notices").textContent).not.toContain("أُرسل إشعار");
  });

  test("are private, sound and stay away as was chosen", async () => {
    const host = await shown("notifications");
    await fireEvent.click(screen.getByTestId("set-private"));
    await waitFor(() => expect(host.last("set_settings")?.private_notifications).toBe(true));
    await fireEvent.click(screen.getByTestId("set-sound-bell"));
    await waitFor(() => expect(begun.length).toBe(TONES.bell.length));
    expect(host.last("set_settings")?.sound).toBe("bell");

    expect(screen.queryByTestId("set-quiet-from")).toBeNull();
    await fireEvent.click(screen.getByTestId("set-quiet"));
    const from = await screen.findByTestId<HTMLSelectElement>("set-quiet-from");
    expect(from.selectedOptions[0]?.textContent).toContain("3:00");
    await fireEvent.change(from, { target: { value: String(22 * 60 + 30) } });
    await waitFor(() => expect(host.last("set_settings")?.quiet.from).toBe(22 * 60 + 30));
    for (const day of ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]) await fireEvent.click(screen.getByTestId(`set-quiet-${day}`));
    await screen.findByTestId("quiet-no-day");
    await fireEvent.click(screen.getByTestId("set-quiet-friday"));
    expect(host.last("set_settings")?.quiet).toEqual({ on: true, from: 22 * 60 + 30, until: 7 * 60, days: ["friday"] });
  });

  test("that appear with a sound of ours are heard; the system's sound is not ours", async () => {
    const host = await shown("notifications");
    host.say({ event: "sound", sound: "system" });
    host.say({ event: "sound", sound: "drop" });
    await waitFor(() => expect(begun.length).toBe(TONES.drop.length));
  });
});

describe("This computer", () => {
  test("starts the program with itself, where it can", async () => {
    const host = await shown("computer");
    await screen.findByTestId("set-start");
    expect(checked("set-start")).toBe(false);
    await fireEvent.click(screen.getByTestId("set-start"));
    await waitFor(() => expect(host.last("start_with_system")).toEqual({ on: true }));
    expect(checked("set-start")).toBe(true);
  });

  test("offers nothing that it cannot do", async () => {
    const host = new FakeHost(scene("crowded"));
    host.scene.system = { notifications: "unknown", starts: null };
    render(App, { host });
    await fireEvent.click(await screen.findByTestId("settings-open"));
    await fireEvent.click(await screen.findByTestId("section-computer"));
    await screen.findByTestId("start-unknown");
    expect(screen.queryByTestId("set-start")).toBeNull();
  });
});
