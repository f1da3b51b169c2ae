/** The gateway's clock, as this computer knows it: what windows and dates go by. */
class Clock {
  #now = $state(Date.now());
  #offset = $state(0);

  constructor() {
    setInterval(() => this.tick(), 15_000);
  }

  /** Now, by the gateway's clock. Whoever renders it is rendered again four times a minute. */
  get now(): number {
    return this.#now + this.#offset;
  }

  /** The exact moment, for a decision. */
  exact(): number {
    return Date.now() + this.#offset;
  }

  tick(): void {
    this.#now = Date.now();
  }

  /** The gateway's clock less this computer's. */
  set offset(milliseconds: number) {
    this.#offset = milliseconds;
    this.tick();
  }
}

export const clock = new Clock();
