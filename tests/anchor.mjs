// Run inside the page: goes up through the open conversation, and tells by how much what one reads ever moved by itself.

export async function goUp(steps) {
  const box = document.querySelector('[data-testid="messages"]');
  const frame = () => new Promise((ready) => requestAnimationFrame(() => ready()));
  const top = () => box.getBoundingClientRect().top;
  const rows = () => [...box.querySelectorAll("[data-key]")];
  const read = { worst: 0, loads: 0, most: 0, ended: false };
  for (let step = 0; step < steps && !read.ended; step += 1) {
    const first = rows()[0]?.dataset.key;
    box.scrollTop -= box.clientHeight * 0.8;
    await frame();
    const seen = rows().find((row) => row.getBoundingClientRect().bottom > top() + 4);
    const stands = () => box.querySelector(`[data-key="${seen.dataset.key}"]`)?.lastElementChild.getBoundingClientRect().top;
    const before = stands();
    // What is loaded above comes in one of the next frames.
    for (let frames = 0; frames < 6; frames += 1) {
      await frame();
      read.worst = Math.max(read.worst, Math.abs((stands() ?? Infinity) - before));
    }
    if (rows()[0]?.dataset.key !== first) read.loads += 1;
    read.most = Math.max(read.most, rows().length);
    read.ended = box.scrollTop === 0 && rows()[0]?.dataset.key === first;
  }
  return read;
}
