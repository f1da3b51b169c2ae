import { cleanup } from "@testing-library/svelte";
import { afterEach, beforeEach, vi } from "vitest";
import { NOW } from "../fixtures/made";
import { BEGINNING, wear } from "../src/lib/appearance";

// It is the day of the fixtures: what a citizen wrote then is within WhatsApp's window.
beforeEach(() => void vi.setSystemTime(NOW));
beforeEach(() => wear({ ...BEGINNING, theme: "light" }));
afterEach(() => cleanup());
