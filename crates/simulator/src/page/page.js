// The telephone page: a person plays citizens. The simulator holds the truth; this shows it and asks again when told to.
import { words } from './words.js';

const $ = (id) => document.getElementById(id);
const drafts = new Map();
let language = localStorage.getItem('language') === 'en' ? 'en' : 'ar';
let telephones = [];
let thread = null;
let state = null;
let reachable = true;
let chosen = location.hash.slice(1) || '1';
let stream = null;
// The messages that were on screen before; null when the chat has just been opened, and nothing in it is news.
let known = null;
let offset = 0;

const word = (key) => words[language][key] ?? key;
const locale = () => (language === 'ar' ? 'ar-KW-u-nu-latn' : 'en-GB-u-nu-latn');
const hour = (at) => new Intl.DateTimeFormat(locale(), { hour: 'numeric', minute: '2-digit', hour12: true }).format(at);
const now = () => Date.now() + offset;

function day(at) {
  const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now()) - midnight(at)) / 86_400_000);
  if (days === 0) return word('today');
  if (days === 1) return word('yesterday');
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'long', year: 'numeric' }).format(at);
}

function element(name, properties = {}, ...children) {
  const { className, dir, title, dataset, ...rest } = properties;
  const node = document.createElement(name);
  if (className) node.className = className;
  if (dir) node.dir = dir;
  if (title) node.title = title;
  Object.assign(node.dataset, dataset);
  for (const [key, value] of Object.entries(rest)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const shapes = {
  waiting: ['M12 6v6l3 2', 'M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0'],
  sent: ['M20 6 9 17l-5-5'],
  delivered: ['M18 6 7 17l-5-5', 'm22 10-7.5 7.5L13 16'],
  read: ['M18 6 7 17l-5-5', 'm22 10-7.5 7.5L13 16'],
  good: ['M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0', 'm8.5 12 2.5 2.5 4.5-5'],
  bad: ['M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0', 'M12 8v4', 'M12 16h.01'],
  kind: ['m21.4 11.6-8.6 8.6a5.5 5.5 0 0 1-7.8-7.8l8.6-8.6a3.7 3.7 0 0 1 5.2 5.2l-8.6 8.6a1.8 1.8 0 0 1-2.6-2.6l7.9-7.9'],
};

function icon(name, className, label) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  if (className) svg.setAttribute('class', className);
  if (label) {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
  } else {
    svg.setAttribute('aria-hidden', 'true');
  }
  for (const d of shapes[name]) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

async function ask(path, options) {
  try {
    const answer = await fetch(path, options);
    reachable = true;
    return answer;
  } catch (error) {
    reachable = false;
    showState();
    throw error;
  }
}

const post = (path, body) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const number = (phone) => {
  const parts = /^965(\d{4})(\d{4})$/.exec(phone);
  return parts ? `+965 ${parts[1]} ${parts[2]}` : `+${phone}`;
};

function address(telephone) {
  if (telephone.phone) return number(telephone.phone);
  return telephone.username ? `@${telephone.username}` : word('no_number');
}

const kind = (message) => words[language].kinds[message.kind] ?? message.kind;

function showPeople() {
  const rows = telephones.map((telephone) => {
    const { last, unread } = telephone;
    const said = last ? (last.text ?? kind(last)) : word('no_message');
    const line = element('span', { className: 'last' },
      last?.from === 'citizen' ? element('span', {}, word('you')) : null, element('bdi', {}, said));
    const where = element('bdi', telephone.phone ? { dir: 'ltr' } : {}, address(telephone));
    const row = element('button', { className: 'person', type: 'button', 'aria-current': String(telephone.id === chosen) },
      element('span', { className: 'face', dataset: { tint: Number(telephone.id) % 6 }, 'aria-hidden': 'true' }, [...telephone.name][0]),
      element('span', { className: unread ? 'name new' : 'name' }, element('bdi', {}, telephone.name)),
      last ? element('time', {}, hour(last.at)) : element('span'),
      last ? line : element('span', { className: 'last' }, where),
      unread ? element('span', { className: 'count' }, String(unread)) : element('span'));
    row.addEventListener('click', () => choose(telephone.id));
    return element('li', {}, row);
  });
  const focused = [...$('people').children].findIndex((row) => row.contains(document.activeElement));
  $('people').replaceChildren(...rows);
  if (focused >= 0) rows[focused]?.firstChild.focus();
}

function bubble(message, all) {
  const quoted = message.quote && all.find((other) => other.wamid === message.quote);
  const node = element('div', { className: `bubble ${message.from}`, dir: 'auto', dataset: { wamid: message.wamid, tick: message.tick } });
  if (message.from === 'citizen') node.classList.toggle('waiting', message.tick === 'waiting');
  if (known && !known.has(message.wamid)) node.classList.add('fresh');
  if (quoted) node.append(element('div', { className: 'quote', title: word('quoted') }, element('bdi', {}, quoted.text ?? kind(quoted))));
  if (message.text) node.append(element('p', {}, message.text));
  else node.append(element('span', { className: 'kind' }, icon('kind', 'tick'), kind(message)));
  const meta = element('span', { className: 'meta', dir: document.documentElement.dir }, element('time', {}, hour(message.at)));
  if (message.from === 'citizen') {
    if (message.tick === 'read') meta.append(icon('read', 'tick read', word('read')));
    else meta.append(icon(message.tick, 'tick', word(message.tick)));
  }
  node.append(meta);
  return node;
}

function showThread() {
  if (!thread) return;
  $('owner').textContent = thread.name;
  $('owner-number').textContent = address(thread);
  $('owner-number').dir = thread.phone ? 'ltr' : 'auto';
  const box = $('thread');
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  const nodes = [];
  let last = null;
  for (const message of thread.messages) {
    const date = day(message.at);
    if (date !== last) nodes.push(element('span', { className: 'day' }, date));
    last = date;
    nodes.push(bubble(message, thread.messages));
  }
  if (nodes.length === 0) nodes.push(element('p', { className: 'empty' }, word('empty')));
  const fresh = !known || thread.messages.some((message) => !known.has(message.wamid));
  known = new Set(thread.messages.map((message) => message.wamid));
  box.replaceChildren(...nodes);
  if (atEnd || fresh) box.scrollTop = box.scrollHeight;
}

const reasons = { 'no connection': 'no_connection', 'no answer in time': 'no_answer', 'the connection broke': 'broken' };
const reason = (text) => (reasons[text] ? word(reasons[text]) : text);

function showState() {
  if (state) {
    $('agency').textContent = state.line.agency_name ?? word('agency');
    $('agency-number').textContent = state.line.display_number;
    $('url').textContent = state.webhook.url;
  }
  const { waiting = 0, delivered = 0, failing = null, failures = [] } = state?.webhook ?? {};
  const parts = [];
  let mood = 'good';
  if (!reachable) {
    mood = 'gone';
    parts.push(word('state_gone'));
  } else if (failing) {
    mood = 'bad';
    const seconds = Math.max(0, Math.ceil((failing.again_at - now()) / 1000));
    parts.push(`${word('state_bad')}: ${reason(failing.reason)}`, `${word('attempt')} ${failing.attempt}`, `${word('again')} ${seconds} ${word('seconds')}`);
  } else if (waiting) {
    mood = 'waiting';
    parts.push(word('state_waiting'));
  } else {
    parts.push(word(delivered ? 'state_good' : 'state_new'));
  }
  if (reachable && waiting) parts.push(`${word('waiting_count')} ${waiting}`);
  if (reachable && delivered) parts.push(`${word('taken_count')} ${delivered}`);
  const text = parts.join(' · ');
  const line = $('state');
  if (line.textContent !== text) {
    line.className = mood;
    line.replaceChildren(icon({ good: 'good', waiting: 'waiting' }[mood] ?? 'bad'), element('span', {}, text));
  }
  $('faults').hidden = !state?.faulty;
  $('faults').textContent = word('faults');
  const button = $('failures-button');
  button.hidden = failures.length === 0;
  button.textContent = `${word('failures')} (${failures.length})`;
  if (button.hidden) toggleFailures(false);
  const names = new Map(telephones.map((telephone) => [telephone.id, telephone.name]));
  $('failures').replaceChildren(...failures.map((failure) => element('li', {},
    element('time', {}, new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(failure.at)),
    element('bdi', {}, names.get(failure.telephone) ?? failure.telephone),
    element('bdi', {}, reason(failure.reason)),
    element('span', {}, `${word('attempt')} ${failure.attempt}`))));
}

function toggleFailures(open) {
  $('failures').hidden = !open;
  $('failures-button').setAttribute('aria-expanded', String(open));
}

const loadPeople = async () => {
  telephones = await (await ask('/telephones')).json();
  showPeople();
};

let asked = 0;
const loadThread = async () => {
  const mine = ++asked;
  const answer = await ask(`/telephones/${encodeURIComponent(chosen)}`);
  if (mine !== asked) return;
  if (answer.ok) {
    thread = await answer.json();
    showThread();
  } else if (chosen !== '1') {
    choose('1');
  }
};

const loadState = async () => {
  state = await (await ask('/state')).json();
  offset = state.now - Date.now();
  showState();
};

const quietly = (work) => work().catch(() => {});

// What changed since: asked for together, and once for many events.
const due = new Set();
function later(what) {
  if (due.size === 0) {
    setTimeout(() => {
      const all = due.has('*');
      if (all || due.has('state')) quietly(loadState);
      if (all || [...due].some((name) => name !== 'state')) quietly(loadPeople);
      if (all || due.has(chosen)) quietly(loadThread);
      due.clear();
    }, 30);
  }
  due.add(what);
}

// While this stream lasts and the page is looked at, the citizen has the chat open.
function listen() {
  stream?.close();
  const open = document.visibilityState === 'visible' ? `?open=${encodeURIComponent(chosen)}` : '';
  stream = new EventSource(`/events${open}`);
  stream.onmessage = (event) => later(event.data);
  stream.onerror = () => {
    reachable = false;
    showState();
  };
}

function choose(id) {
  drafts.set(chosen, $('text').value);
  chosen = id;
  history.replaceState(null, '', `#${id}`);
  known = null;
  thread = null;
  $('text').value = drafts.get(id) ?? '';
  grow();
  showPeople();
  listen();
  $('text').focus();
}

function grow() {
  const text = $('text');
  text.style.blockSize = 'auto';
  text.style.blockSize = `${text.scrollHeight + 2}px`;
}

async function write(event) {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  const to = chosen;
  $('text').value = '';
  grow();
  const sent = await post(`/telephones/${encodeURIComponent(to)}/messages`, { text }).catch(() => null);
  if (sent?.ok) return;
  // Nothing that was written is lost: it returns to where it came from.
  if (chosen === to && !$('text').value) $('text').value = text;
  else drafts.set(to, text);
  grow();
}

function toggleNew(open) {
  $('new').hidden = !open;
  $('adding').hidden = open;
  $('new-problem').hidden = true;
  if (open) $('new-name').focus();
  else $('new').reset();
}

async function add(event) {
  event.preventDefault();
  const answer = await post('/telephones', { name: $('new-name').value, phone: $('new-phone').value || null }).catch(() => null);
  const said = answer ? await answer.json() : { code: 'state_gone' };
  if (answer?.ok) {
    toggleNew(false);
    await loadPeople();
    choose(said.id);
  } else {
    $('new-problem').textContent = word(said.code);
    $('new-problem').hidden = false;
  }
}

function speak() {
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
  document.title = word('title');
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', word(node.dataset.label));
  for (const node of document.querySelectorAll('[data-hint]')) node.setAttribute('placeholder', word(node.dataset.hint));
  $('language').textContent = word('language');
  $('language').lang = language === 'ar' ? 'en' : 'ar';
  $('adding').textContent = `+ ${word('new')}`;
  tell();
  showPeople();
  showThread();
  showState();
}

function tell() {
  $('clock').textContent = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(now());
}

$('composer').addEventListener('submit', write);
$('text').addEventListener('input', grow);
$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) write(event);
});
$('language').addEventListener('click', () => {
  language = language === 'ar' ? 'en' : 'ar';
  localStorage.setItem('language', language);
  speak();
});
$('adding').addEventListener('click', () => toggleNew(true));
$('new-cancel').addEventListener('click', () => toggleNew(false));
$('new').addEventListener('submit', add);
$('failures-button').addEventListener('click', () => toggleFailures($('failures').hidden));
document.addEventListener('click', (event) => event.target.closest('.foot') || toggleFailures(false));
document.addEventListener('keydown', (event) => event.key === 'Escape' && toggleFailures(false));
document.addEventListener('visibilitychange', listen);
setInterval(() => {
  tell();
  if (state?.webhook.failing) showState();
}, 1000);

speak();
listen();
