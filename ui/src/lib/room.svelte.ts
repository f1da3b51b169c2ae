import type { TextSize } from "./api.generated";

/** How much larger each size is than the usual one: 14, 16, 18 and 20 pixels for most of the window. */
const SCALES: Record<TextSize, number> = { normal: 1, large: 16 / 14, larger: 18 / 14, largest: 20 / 14 };

/** Below this there is no room for the case beside the conversation. */
const NARROW = 1200;
/** Up to this, heads and composer have one line. */
const LOW = 720;

/**
 * How much room the window has for text of the chosen size. A media query measures the window alone: text twice as
 * large in the same window has half the room.
 */
class Room {
  narrow = $state(false);
  low = $state(false);
  #scale = 1;

  constructor() {
    window.addEventListener("resize", () => this.measure());
  }

  write(size: TextSize): void {
    this.#scale = SCALES[size];
    this.measure();
  }

  measure(): void {
    this.narrow = innerWidth / this.#scale < NARROW;
    this.low = innerHeight / this.#scale <= LOW;
    document.documentElement.toggleAttribute("data-narrow", this.narrow);
    document.documentElement.toggleAttribute("data-low", this.low);
  }
}

export const room = new Room();
