import { cleanup } from "@testing-library/svelte";
import { afterEach, beforeEach } from "vitest";
import { BEGINNING, wear } from "../src/lib/appearance";

beforeEach(() => wear({ ...BEGINNING, theme: "light" }));
afterEach(() => cleanup());
