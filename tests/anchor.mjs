// Run inside the page: goes up through the open conversation, and tells by how much what one reads ever moved by itself.

export async function goUp(steps) {
  const box = document.querySelector('[data-testid="messages"]');
  const frame = () => new Promise((ready) => requestAnimationFrame(() => ready()));
  const top = () => box.getBoundingClientRect().top;
  const rows = () => [...box.querySelectorAll("[data-key]")];
  const read = { worst: 0, loads: 0, most: 0, ended: false };
  for (let step = 0; step < steps && !read.ended; step += 1) {
    const first = rows()[0]?.dataset.key;
    let uppermost = first;
    box.scrollTop -= box.clientHeight * 0.8;
    await frame();
    const seen = rows().find((row) => row.getBoundingClientRect().bottom > top() + 4);
    const stands = () => box.querySelector(`[data-key="${seen.dataset.key}"]`)?.lastElementChild.getBoundingClientRect().top;
    const before = stands();
    // What is loaded above comes in one of the next frames; at the top it is waited for, since only its absence is the end.
    for (let frames = 0; frames < 6 || (frames < 120 && box.scrollTop === 0 && uppermost === first); frames += 1) {
      await frame();
      read.worst = Math.max(read.worst, Math.abs((stands() ?? Infinity) - before));
      // Two pages may come within one step, and on a busy machine within one frame.
      const now = rows();
      const above = now.findIndex((row) => row.dataset.key === uppermost);
      if (above !== 0) read.loads += Math.max(1, Math.round(above / 60));
      uppermost = now[0]?.dataset.key;
    }
    read.most = Math.max(read.most, rows().length);
    read.ended = box.scrollTop === 0 && rows()[0]?.dataset.key === first;
  }
  return read;
}

// Run inside the page: goes some steps down through the list, or up, and tells by how much what one reads ever moved by
// itself, and for how many frames together there was no row where one has to be. Of all rows, `drawn` are in the page at most.

export async function goThroughTheList(down, steps) {
  const box = document.querySelector('[data-testid="conversation-list"]').parentElement;
  // Looked at when a frame was made: what is put right before that, nobody sees.
  const frame = () => new Promise((ready) => requestAnimationFrame(() => setTimeout(ready, 0)));
  const { left, top, width, height } = box.getBoundingClientRect();
  const at = (part) => document.elementFromPoint(left + width / 2, top + height * part)?.closest('[data-testid="conversation-row"]');
  const read = { worst: 0, blank: 0, slowest: 0, drawn: 0 };
  let [last, blank] = [performance.now(), 0];
  const look = async () => {
    await frame();
    const now = performance.now();
    read.slowest = Math.max(read.slowest, now - last);
    last = now;
    blank = [0.05, 0.5, 0.95].some((part) => at(part) == null) ? blank + 1 : 0;
    read.blank = Math.max(read.blank, blank);
    read.drawn = Math.max(read.drawn, box.querySelectorAll("li").length);
  };
  for (let step = 0; step < steps; step += 1) {
    // What one reads goes with the hand, and no further.
    const seen = at(0.5);
    const place = box.scrollTop;
    box.scrollTop += height * (down ? 0.8 : -0.8);
    const stands = seen?.getBoundingClientRect().top;
    if (box.scrollTop === place) {
      // More of it is on its way.
      await look();
      continue;
    }
    for (let frames = 0; frames < 4; frames += 1) {
      await look();
      if (seen) read.worst = Math.max(read.worst, Math.abs(seen.getBoundingClientRect().top - stands));
    }
  }
  return { ...read, rows: Number(box.querySelector("li:last-child").ariaPosInSet), ended: box.scrollTop + height >= box.scrollHeight - 1 };
}

// Run inside the page: goes to the end of what is loaded of the list, and then halfway back, by leaps over rows that were
// never drawn. Tells which row is the last that is drawn.

export async function leap(back) {
  const box = document.querySelector('[data-testid="conversation-list"]').parentElement;
  box.scrollTop = back ? box.scrollHeight / 2 : box.scrollHeight;
  for (let frames = 0; frames < 10; frames += 1) await new Promise((ready) => requestAnimationFrame(() => ready()));
  return Number(box.querySelector("li:last-child").ariaPosInSet);
}

// Run inside the page: goes down through the whole list, of which a part alone is drawn, and tells the conversations of all rows.

export async function everyRow() {
  const box = document.querySelector('[data-testid="conversation-list"]').parentElement;
  const found = new Set();
  box.scrollTop = 0;
  for (let ended = false; !ended; ) {
    for (let frames = 0; frames < 3; frames += 1) await new Promise((ready) => requestAnimationFrame(() => ready()));
    for (const row of box.querySelectorAll('[data-testid="conversation-row"]')) found.add(row.dataset.conversation);
    const place = box.scrollTop;
    box.scrollTop += box.clientHeight;
    ended = box.scrollTop === place;
  }
  return [...found];
}

// Run inside the page: opens a conversation of which the list has a row, wherever that stands.

export async function openRow(id) {
  const box = document.querySelector('[data-testid="conversation-list"]').parentElement;
  const row = () => box.querySelector(`[data-testid="conversation-row"][data-conversation="${id}"]`);
  box.scrollTop = 0;
  for (let place = -1; row() === null && place !== box.scrollTop; ) {
    place = box.scrollTop;
    box.scrollTop += box.clientHeight;
    for (let frames = 0; frames < 3; frames += 1) await new Promise((ready) => requestAnimationFrame(() => ready()));
  }
  row().click();
}
