import "./fonts.css";
import "./tokens.css";
import "./base.css";
import "./forced.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { host } from "./lib/host";

const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { host: await host() } });
