export { LOCALES } from "./catalogue";
export { flow, named, spoken, t, tOr, wear } from "./language.svelte";
