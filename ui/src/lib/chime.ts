import type { Sound } from "./api.generated";

/** One tone: its pitch in hertz, when it begins and how long it rings, in seconds. */
interface Tone {
  pitch: number;
  at: number;
  rings: number;
}

/** Our own sounds, made here and played by no file: short, and of different pitch, so that two windows can be told apart. */
export const TONES: Record<"bell" | "drop", Tone[]> = {
  bell: [
    { pitch: 1046.5, at: 0, rings: 0.35 },
    { pitch: 1568, at: 0.11, rings: 0.6 },
  ],
  drop: [
    { pitch: 392, at: 0, rings: 0.3 },
    { pitch: 523.25, at: 0.07, rings: 0.35 },
  ],
};
const LOUD = 0.22;
const SILENT = 0.0001;

let played: AudioContext | undefined;

/** Lets one of our own sounds be heard; whatever else is the system's affair. */
export async function chime(sound: Sound): Promise<void> {
  if (sound !== "bell" && sound !== "drop") return;
  const context = (played ??= new AudioContext());
  await context.resume();
  for (const { pitch, at, rings } of TONES[sound]) {
    const begins = context.currentTime + at;
    const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
    const loudness = new GainNode(context, { gain: SILENT });
    // A tone that begins or ends at once clicks.
    loudness.gain.setValueAtTime(SILENT, begins);
    loudness.gain.exponentialRampToValueAtTime(LOUD, begins + 0.012);
    loudness.gain.exponentialRampToValueAtTime(SILENT, begins + rings);
    tone.connect(loudness).connect(context.destination);
    tone.start(begins);
    tone.stop(begins + rings);
  }
}
