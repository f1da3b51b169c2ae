import { cleanup } from "@testing-library/svelte";
import { afterEach, beforeEach } from "vitest";
import { wear } from "../src/lib/i18n";

beforeEach(() => wear({ language: "ar", theme: "light" }));
afterEach(() => cleanup());
