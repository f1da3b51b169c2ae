// The icon in the tray as the system's panel sees it: through the session bus.

import { ask } from "./window.mjs";
import { eventually } from "./stage.mjs";

const ITEM = "/org/ayatana/NotificationItem/tray_icon_tray_app_tray";

const call = (dest, path, method, ...args) =>
  ask("gdbus", "call", "--session", "--timeout", "1", "--dest", dest, "--object-path", path, "--method", method, ...args);
const bus = (method, ...args) => call("org.freedesktop.DBus", "/", `org.freedesktop.DBus.${method}`, ...args);

async function label(name) {
  const said = await call(name, ITEM, "org.freedesktop.DBus.Properties.Get", "org.kde.StatusNotifierItem", "XAyatanaLabel");
  return said.match(/'(.*)'/)[1];
}

/** The tray of a program. */
export async function trayOf(pid) {
  const find = async () => {
    for (const [, name] of (await bus("ListNames")).matchAll(/'(:[\d.]+)'/g)) {
      const owner = await bus("GetConnectionUnixProcessID", name).catch(() => "");
      if (owner !== `(uint32 ${pid},)`) continue;
      if (await label(name).then(() => true, () => false)) return name;
    }
    return undefined;
  };
  const name = await eventually("the tray", find);
  const menu = (method, ...args) => call(name, `${ITEM}/Menu`, `com.canonical.dbusmenu.${method}`, ...args);
  return {
    /** What stands beside the icon. */
    label: () => label(name),
    /** The words of its menu, each with its id. */
    async entries() {
      const said = await menu("GetLayout", "0", "--", "-1", "[]");
      return [...said.matchAll(/<\((\d+), \{[^}]*'label': <'([^']*)'>/g)].map(([, id, label]) => ({ id, label }));
    },
    async choose(label) {
      const { id } = (await this.entries()).find((entry) => entry.label === label);
      await menu("Event", id, "clicked", "<''>", "0").catch(() => {});
    },
  };
}
