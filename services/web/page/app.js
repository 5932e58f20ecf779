// The status page: asks the JSON API and shows what it says. Everything shown is set as text, never
// as markup.
'use strict';

const phases = ['address', 'firmware', 'config', 'kernel', 'root', 'userspace'];
const conditions = ['up', 'booting', 'waiting', 'stuck', 'never-seen'];
const words = {up: 'up', booting: 'booting', waiting: 'waiting', stuck: 'stuck', 'never-seen': 'never seen'};
const at = (id) => document.getElementById(id);

let shown = '';         // the condition that the grid is limited to; '' is all
let opened = '';        // the board whose dialog is open
let latest = null;      // the last answer of /api/v1/boards
const tiles = new Map();  // name -> its parts

// ---- words ----------------------------------------------------------------------------------------

function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 1000 && unit < 4) { bytes /= 1000; ++unit; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

const ago = (then, now) => `${span(Math.max(0, (Date.parse(now) - Date.parse(then)) / 1000))} ago`;

function stateOf(board) {
  if (board.condition === 'booting') return `booting: ${board.boot.phase}`;
  if (board.condition === 'stuck') return `stuck at ${board.boot.phase}`;
  return words[board.condition];
}

function placeOf(queue) {
  return `number ${queue.position}, in about ${span(Math.max(1, Math.ceil(queue.expected_in_seconds)))}`;
}

function admissionOf(admission) {
  if (!admission || !admission.enabled) return '';
  const waiting = admission.waiting ? `, ${admission.waiting} wait` : '';
  return ` · ${admission.inside} of ${admission.capacity} places taken${waiting}`;
}

function noteOf(board, now) {
  const boot = board.boot;
  if (!boot) return board.address || board.mac || board.serial || '';
  if (board.condition === 'up') return boot.partial ? 'up before this server' : `up in ${span(boot.seconds)}`;
  if (board.condition === 'waiting') return board.queue ? placeOf(board.queue) : boot.waiting_for || '';
  if (board.condition === 'stuck') return `silent for ${span(board.silent_seconds)}`;
  return `for ${span(Math.max(0, (Date.parse(now) - Date.parse(boot.started)) / 1000))}, ${size(boot.bytes)}`;
}

// ---- parts ----------------------------------------------------------------------------------------

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function makeTile(name) {
  const item = make('li');
  const tile = make('button', undefined, 'tile');
  const title = make('strong', name);
  const state = make('span', '', 'state');
  const steps = make('div', undefined, 'steps');
  steps.setAttribute('aria-hidden', 'true');
  for (let i = 0; i < phases.length; ++i) steps.append(make('i'));
  const note = make('small');
  tile.append(title, state, steps, note);
  tile.addEventListener('click', () => { location.hash = name; });
  item.append(tile);
  return {item, tile, state, steps, note, key: ''};
}

function showTile(parts, board, now) {
  const note = noteOf(board, now);
  set(parts.note, note);
  parts.item.hidden = shown !== '' && shown !== board.condition;
  const key = `${board.condition} ${board.boot ? board.boot.phase : ''}`;
  if (parts.key === key) return;
  parts.key = key;
  parts.tile.className = `tile ${board.condition}`;
  set(parts.state, stateOf(board));
  const reached = board.boot ? phases.indexOf(board.boot.phase) : -1;
  [...parts.steps.children].forEach((step, i) => {
    const done = board.condition === 'up' || i < reached;
    step.className = done ? 'done' : i === reached ? 'now' : '';
  });
}

function showBoards() {
  const {boards, now} = latest;
  const list = at('boards');
  const names = new Set(boards.map((board) => board.name));
  for (const [name, parts] of tiles) {
    if (!names.has(name)) { parts.item.remove(); tiles.delete(name); }
  }
  const fresh = document.createDocumentFragment();
  for (const board of boards) {
    let parts = tiles.get(board.name);
    if (!parts) {
      parts = makeTile(board.name);
      tiles.set(board.name, parts);
      fresh.append(parts.item);
    }
    showTile(parts, board, now);
  }
  list.append(fresh);
  at('nobody').hidden = boards.some((board) => shown === '' || board.condition === shown);
}

function showSummary(counts) {
  const summary = at('summary');
  if (!summary.children.length) {
    for (const condition of ['', ...conditions]) {
      const button = make('button', undefined, condition);
      button.type = 'button';
      if (condition) button.append(make('span', undefined, 'dot'));
      button.append(make('b'), make('span', condition ? words[condition] : 'boards'));
      button.addEventListener('click', () => {
        shown = shown === condition ? '' : condition;
        if (latest) { showSummary(counts); showBoards(); }
      });
      summary.append(button);
    }
  }
  ['', ...conditions].forEach((condition, i) => {
    const button = summary.children[i];
    set(button.querySelector('b'), String(condition ? counts[condition] : counts.total));
    button.setAttribute('aria-pressed', String(shown === condition));
  });
}

function showStrangers() {
  at('strangers').hidden = latest.strangers.length === 0;
  at('stranger-rows').replaceChildren(...latest.strangers.map((stranger) => {
    const row = make('tr');
    row.append(
        make('td', stranger.mac || '–'), make('td', stranger.serial || '–'), make('td', stranger.kind),
        make('td', `${stranger.requests} times`), make('td', ago(stranger.last_seen, latest.now)),
        make('td', stranger.reason));
    return row;
  }));
}

function showServer(status) {
  const generation = status.generation ? `generation ${status.generation}` : 'nothing published yet: run bramble apply';
  set(at('server'),
      `${status.interface} ${status.address} · ${generation} · DHCP ${status.dhcp_mode} · up for ` +
      `${span(status.uptime_seconds)} · ${status.open_transfers} transfers${admissionOf(status.admission)} · version ${status.version}`);
  alarm(status.reload_error ? `The last reload was refused; boards are served as before. ${status.reload_error}` : '');
}

function alarm(text) {
  set(at('alarm'), text);
  at('alarm').hidden = !text;
}

// ---- one board ------------------------------------------------------------------------------------

function lane(from, until, total, name) {
  const box = make('div', undefined, 'lane');
  const bar = make('i', undefined, name);
  const scale = 100 / Math.max(total, 0.001);
  bar.style.left = `${Math.min(99, from * scale)}%`;
  bar.style.width = `${Math.max(0, Math.min(100 - from * scale, (until - from) * scale))}%`;
  box.append(bar);
  return box;
}

function fileRow(file, total) {
  const row = make('tr');
  const cell = make('td');
  cell.append(lane(file.at, file.until, total, file.outcome));
  let result = file.outcome;
  if (file.loads > 1) result += ` ${file.loads} times`;
  if (file.retransmissions) result += `, ${file.retransmissions} sent again`;
  row.append(
      make('td', file.path), make('td', file.loads ? size(file.bytes) : '–'),
      make('td', file.loads ? span(file.seconds) : '–'), cell, make('td', result));
  return row;
}

function showBoot(boot) {
  at('board-boot').hidden = !boot;
  if (!boot) return;
  const total = Math.max(boot.seconds, ...boot.files.map((file) => file.until));
  at('phases').replaceChildren(...boot.phases.map((phase) => {
    const item = make('li');
    item.append(make('span', phase.phase), lane(phase.at, phase.at + phase.seconds, total, ''),
                make('span', span(phase.seconds), 'time'));
    return item;
  }));
  at('files').replaceChildren(...boot.files.map((file) => fileRow(file, total)));
}

function showBoard(board, now) {
  set(at('board-name'), board.name);
  const state = at('board-state');
  state.className = board.condition;
  state.replaceChildren(make('span', undefined, 'dot'), make('b', stateOf(board)), ` ${noteOf(board, now)}`);
  const diagnosis = (board.boot && board.boot.diagnosis) || '';
  set(at('board-diagnosis'), diagnosis);
  at('board-diagnosis').hidden = !diagnosis;
  const facts = {
    Model: board.model, Profile: board.profile, Address: board.address, MAC: board.mac, Serial: board.serial,
    Generation: board.boot && board.boot.generation, 'Last sign': board.last_seen && ago(board.last_seen, now),
  };
  at('board-facts').replaceChildren(...Object.entries(facts).filter(([, value]) => value).flatMap(
      ([name, value]) => [make('dt', name), make('dd', String(value))]));
  showBoot(board.boot);
  at('board-history').hidden = board.history.length === 0;
  at('history').replaceChildren(...board.history.map((boot) => make(
      'li', `${boot.started}: ${boot.state} after ${span(boot.seconds)}, generation ${boot.generation}` +
      (boot.diagnosis ? `: ${boot.diagnosis}` : ''))));
}

async function refreshBoard() {
  if (!opened) return;
  const board = await ask(`/api/v1/boards/${encodeURIComponent(opened)}`);
  if (!board || board.name !== opened) return;
  showBoard(board, latest ? latest.now : new Date().toISOString());
  if (!at('board').open) at('board').showModal();
}

function onHash() {
  opened = decodeURIComponent(location.hash.slice(1));
  if (!opened && at('board').open) at('board').close();
  refreshBoard().catch(() => {});
}

// ---- asking ---------------------------------------------------------------------------------------

async function ask(path) {
  const token = sessionStorage.getItem('token');
  const answer = await fetch(path, {headers: token ? {Authorization: `Bearer ${token}`} : {}});
  at('sign-in').hidden = answer.status !== 401;
  return answer.ok ? answer.json() : null;
}

async function refresh() {
  try {
    const [status, boards] = await Promise.all([ask('/api/v1/status'), ask('/api/v1/boards')]);
    if (status && boards) {
      latest = boards;
      showServer(status);
      showSummary(status.boards);
      showBoards();
      showStrangers();
      await refreshBoard();
    }
  } catch (error) {
    alarm('The server does not answer; this is the last that was heard of it.');
  }
  setTimeout(refresh, document.hidden ? 15000 : 2000);
}

at('close').addEventListener('click', () => at('board').close());
at('board').addEventListener('close', () => { history.replaceState(null, '', location.pathname); opened = ''; });
at('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', at('token').value);
  at('token').value = '';
  location.reload();
});
window.addEventListener('hashchange', onHash);
onHash();
refresh();
