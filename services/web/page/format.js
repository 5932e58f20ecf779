// Words and small parts that every view shares. Everything shown is set as text, never as markup.
'use strict';

const phases = ['address', 'firmware', 'config', 'kernel', 'root', 'userspace'];
const words = {up: 'up', booting: 'booting', waiting: 'waiting', stuck: 'stuck', silent: 'silent', 'never-seen': 'never seen'};
const at = (id) => document.getElementById(id);
const svgSpace = 'http://www.w3.org/2000/svg';

function span(seconds) {
  if (seconds < 0) return '0 s';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

// The same without a fraction, for what counts on while one looks.
const wholeSpan = (seconds) => (seconds < 60 ? `${Math.max(0, Math.floor(seconds))} s` : span(seconds));

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 1000 && unit < 4) { bytes /= 1000; ++unit; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

const rate = (bytes) => `${size(bytes)}/s`;
const seconds = (instant) => Date.parse(instant) / 1000;
const clock = (instant) => new Date(instant).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'});
const moment = (instant) => new Date(instant).toLocaleString([], {dateStyle: 'medium', timeStyle: 'medium'});

// The server's clock, which the spans are of: a browser's own may be hours off.
const server = {
  offset: 0,
  hear(now) { this.offset = seconds(now) - Date.now() / 1000; },
  now() { return Date.now() / 1000 + this.offset; },
};

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (name) element.className = name;
  return element;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function shape(tag, attributes) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// A bar of time, `from` to `until` of its axis, with coloured pieces {at, until, name}.
function lane(from, until, pieces) {
  const width = Math.max(until - from, 0.001);
  const box = shape('svg', {class: 'lane', viewBox: `0 0 1000 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
  for (const piece of pieces) {
    const x = Math.max(0, (piece.at - from) / width * 1000);
    const end = Math.min(1000, (piece.until - from) / width * 1000);
    if (end < 0 || x > 1000) continue;
    box.append(shape('rect', {x: x.toFixed(2), y: 0, width: Math.max(2, end - x).toFixed(2), height: 10, class: piece.name}));
  }
  return box;
}

// The phases of a boot as pieces, in seconds after its start; `until` is where it has come.
function phasePieces(boot, until) {
  const entered = phases.map((name, i) => [boot.entered[i], i]).filter(([when]) => when !== null);
  return entered.map(([when, i], n) => ({
    at: when, until: n + 1 < entered.length ? entered[n + 1][0] : Math.max(when, until), name: `f${i}`,
  }));
}

const isOver = (boot) => boot.ended !== null;
const reach = (boot) => (isOver(boot) ? boot.seconds : server.now() - seconds(boot.started));

function stateOf(board) {
  if (board.condition === 'booting' && board.boot) return `booting: ${board.boot.phase}`;
  if (board.condition === 'stuck' && board.boot) return `stuck at ${board.boot.phase}`;
  return words[board.condition] || board.condition.replace('-', ' ');
}

function placeOf(queue) {
  const left = seconds(queue.expected_start) - server.now();
  return `number ${queue.position}, in ~${wholeSpan(Math.max(1, Math.ceil(left)))}`;
}

function noteOf(board) {
  const boot = board.boot;
  if (!boot) return board.address || board.mac || board.serial || '\u00a0';
  switch (board.condition) {
    case 'up': return boot.partial ? 'up before this server' : `up in ${span(boot.seconds)}`;
    case 'waiting': return board.queue ? placeOf(board.queue) : boot.waiting_for || '\u00a0';
    case 'booting': return `for ${wholeSpan(reach(boot))}, ${size(boot.bytes)}`;
    default: return `silent for ${wholeSpan(server.now() - seconds(board.last_seen))}`;
  }
}
