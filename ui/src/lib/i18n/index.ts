export { localeOf } from "./catalogue";
export { flow, named, speak, spoken, t, tOr } from "./language.svelte";
