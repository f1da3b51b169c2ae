// What runs in the measured page, before one of the bodies of `window.rs`. Painted: a frame was made of it, and given out.
const frame = () => new Promise((made) => requestAnimationFrame(made));
const painted = async () => {
  await frame();
  await new Promise((after) => setTimeout(after, 0));
};
const until = async (look) => {
  const since = performance.now();
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() - since > 60_000) throw new Error(`Waited a minute for ${look}`);
    await frame();
  }
};
const rows = () => [...document.querySelectorAll('[data-testid="conversation-row"]')];
const row = (id) => document.querySelector(`[data-testid="conversation-row"][data-conversation="${id}"]`);
const shows = (id) =>
  document.querySelector(`[data-testid="conversation"][data-conversation="${id}"] [data-testid="message"]`);
const open = async (id) => {
  row(id).click();
  await until(() => shows(id));
  await painted();
};
// What is new is read, so that it is opened at its end from now on.
const read = async (id) => {
  const jump = () => document.querySelector('[data-testid="jump-to-end"]');
  await open(id);
  jump()?.click();
  await until(() => jump() === null && row(id).dataset.unread === '0');
};
const fields = {
  composer: () => document.querySelector('[data-testid="composer-text"]'),
  plain: () => document.querySelector('textarea'),
};
// What scrolls, and something in it by whose column one sees whether anything is there.
const panes = {
  list: () => rows()[0] && { box: rows()[0].closest('ul').parentElement, mark: rows()[0].querySelector('.avatar') },
  messages: () => {
    const box = document.querySelector('[data-testid="messages"]');
    return box && { box, mark: box.querySelector('[data-testid="message"] .text') };
  },
  lines: () => {
    const box = document.querySelector('#lines');
    return box && { box, mark: box.lastElementChild };
  },
};
