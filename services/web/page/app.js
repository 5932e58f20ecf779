// The page: what is known of the fleet, and which view shows it.
'use strict';

const fleet = {boards: new Map(), strangers: [], status: null};
const changed = new Set();  // boards whose tiles are behind; at most as many as there are
let behind = false;         // everything is
let drawing = false;
let onShown;
const shown = new Promise((done) => { onShown = done; });  // all boards, for the first time
let view = 'fleet';
const livelyMax = 16;
let asking = 0;                // answers of everything that are still to come
const meanwhile = new Map();   // boards that were heard of since the first of them was asked for

const operator = new Operator();
const grid = new Grid((name) => {
  if (!fleet.status.public) location.hash = `board/${encodeURIComponent(name)}`;
});
const ticker = new Ticker();
const massBoot = new MassBoot();
const dialog = new BoardDialog(operator);

// ---- drawing, at most once for each frame ---------------------------------------------------------

function draw() {
  drawing = false;
  if (!fleet.status) return;
  const isFirst = behind && !grid.tiles.size && fleet.boards.size > Grid.firstMax;
  if (isFirst) {
    // What the eye sees at once is there a frame before the rest of a large fleet.
    grid.replace([...fleet.boards.values()].slice(0, Grid.firstMax));
  } else if (behind) {
    grid.replace([...fleet.boards.values()]);
  } else {
    for (const name of changed) grid.update(fleet.boards.get(name));
    if (changed.size) grid.nobody();
  }
  behind = isFirst;
  changed.clear();
  const counts = countBoards();
  grid.showCounts(counts);
  // Each moving part is a layer of its own: a room that boots at once would pay for them.
  document.body.classList.toggle('lively', counts.booting <= livelyMax);
  if (view === 'boots') massBoot.show([...fleet.boards.values()], fleet.status);
  if (behind) setTimeout(drawSoon, Grid.restAfter);
  else onShown();
}

// What the grid shows, not what the server last counted: the two are a second apart.
function countBoards() {
  const counts = {...fleet.status.boards, total: fleet.boards.size};
  for (const condition of conditions) if (condition in counts) counts[condition] = 0;
  for (const board of fleet.boards.values()) counts[board.condition] = (counts[board.condition] || 0) + 1;
  return counts;
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function showServer() {
  const {status} = fleet;
  const parts = [status.generation ? `generation ${status.generation}` : 'nothing published yet'];
  if (status.draining) parts.push('stopping');
  set(at('link-text'), parts.join(' · '));
  at('link').title = [`up for ${wholeSpan(status.uptime_seconds)}`, status.interface && `${status.interface} ${status.address}`,
                      status.dhcp_mode && `DHCP ${status.dhcp_mode}`, status.version && `version ${status.version}`].filter(Boolean).join(', ');
  set(at('server'), at('link').title);
  const troubles = (status.foreign_servers ?? []).map((server) => `Another DHCP server answers on this wire: ${server.address}` +
    `${server.mac ? ` (MAC ${server.mac})` : ''}. Boards may take its offers: switch it off, or set dhcp: {mode: proxy}.`);
  if (status.reload_error) troubles.unshift(`The last reload was refused; boards are served as before.\n${status.reload_error}`);
  alarm(troubles.join('\n'));
}

function showStrangers() {
  const {strangers} = fleet;
  const count = at('strangers-count');
  count.hidden = strangers.length === 0;
  set(count, String(strangers.length));
  at('no-strangers').hidden = strangers.length !== 0;
  if (!strangers.length) { at('strangers').replaceChildren(); return; }
  const body = make('tbody');
  body.append(...strangers.map((stranger) => {
    const row = make('tr');
    const act = make('td');
    const button = make('button', 'Adopt …', 'act');
    button.type = 'button';
    button.setAttribute('aria-label', `Adopt ${stranger.serial || stranger.mac}`);
    button.addEventListener('click', () => operator.adopt(
        stranger, [...new Set([...fleet.boards.values()].map((board) => board.profile))], fleet.boards));
    act.append(button);
    row.append(make('td', stranger.serial || '–'), make('td', stranger.mac || '–'), make('td', stranger.kind),
               make('td', `${stranger.requests} times, last at ${clock(stranger.last_seen)}`), make('td', stranger.reason), act);
    return row;
  }));
  const table = dialog.table(['Serial', 'MAC', 'Kind', 'Asked', 'Why it waits', ''], body);
  table.firstChild.className = 'strangers-table';
  // Whoever is about to press a button keeps it.
  const focused = [...at('strangers').querySelectorAll('button')].indexOf(document.activeElement);
  at('strangers').replaceChildren(table);
  if (focused >= 0) (at('strangers').querySelectorAll('button')[focused] || table).focus();
}

async function showGenerations() {
  try {
    const {generations} = await ask('/api/v1/generations');
    at('generations').replaceChildren(...generations.reverse().map(generationItem));
  } catch (error) {
    at('generations').replaceChildren(make('li', error.message, 'alarm'));
  }
}

function generationItem(generation) {
  const item = make('li', undefined, `generation ${generation.current ? 'current' : ''}`);
  const middle = make('div');
  const side = make('div', undefined, 'side');
  if (generation.problem) {
    middle.append(make('p', `It cannot be read: ${generation.problem}`));
  } else {
    middle.append(make('p', `${moment(generation.created)}, ${generation.boards} boards`));
    const uses = [];
    if (generation.served) uses.push('served');
    if (generation.booting && generation.booting.length) uses.push(`${generation.booting.length} boot from it`);
    if (generation.running && generation.running.length) uses.push(`${generation.running.length} run from it`);
    if (uses.length) middle.append(make('p', uses.join(', '), 'quiet'));
    const changes = make('ul');
    changes.append(...generation.changes.map((one) => make('li', one)));
    middle.append(generation.before === null ? make('p', 'the first one that is kept', 'quiet') :
                  generation.changes.length ? changes : make('p', `as generation ${generation.before}`, 'quiet'));
  }
  if (generation.current) {
    const pill = make('span', undefined, 'pill up');
    pill.append(make('span', undefined, 'dot'), 'current');
    side.append(pill);
  } else if (!generation.problem) {
    const button = make('button', 'Roll back …', 'plain');
    button.type = 'button';
    button.setAttribute('aria-label', `Roll back to generation ${generation.generation}`);
    button.addEventListener('click', () => operator.rollBack(generation.generation, showGenerations));
    side.append(button);
  }
  item.append(make('b', String(generation.generation)), middle, side);
  return item;
}

function alarm(text) {
  set(at('alarm'), text);
  at('alarm').hidden = !text;
}

// ---- views ----------------------------------------------------------------------------------------

function onHash() {
  const hash = location.hash.slice(1);
  if (hash.startsWith('board/') && !document.body.classList.contains('wall')) {
    dialog.open(decodeURIComponent(hash.slice(6)));
    if (!at(`view-${view}`).hidden) return;
  } else {
    dialog.close();
    view = ['boots', 'generations', 'unknown'].includes(hash) ? hash : 'fleet';
  }
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== `view-${view}`;
  for (const link of document.querySelectorAll('header nav a')) {
    if (link.dataset.view === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (view === 'generations' && fleet.status) showGenerations();
  drawSoon();
}

dialog.onClose = () => {
  history.replaceState(null, '', view === 'fleet' ? location.pathname : `#${view}`);
};
massBoot.onWindow = drawSoon;

document.addEventListener('keydown', (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    event.preventDefault();
    location.hash = 'fleet';
    onHash();
    at('find').focus();
  }
});

// ---- what the server says -------------------------------------------------------------------------

function take(status) {
  fleet.status = status;
  server.hear(status.now);
  massBoot.hear(status);
  document.body.classList.toggle('wall', Boolean(status.public));
  for (const link of document.querySelectorAll('[data-full]')) link.hidden = Boolean(status.public);
  showServer();
}

async function takeEverything(answers = askForEverything()) {
  if (!asking) meanwhile.clear();
  ++asking;
  const [status, all] = await answers.finally(() => { --asking; });
  fleet.boards = new Map(all.boards.map((board) => [board.name, board]));
  hearBoards(meanwhile.values());
  fleet.strangers = all.strangers || [];
  behind = true;
  take(status);
  at('sign-in').hidden = true;
  showStrangers();
  if (view === 'generations') showGenerations();
  drawSoon();
  dialog.refresh();
}

function hearBoards(boards) {
  for (const board of boards) {
    if (!fleet.boards.has(board.name)) continue;
    fleet.boards.set(board.name, board);
    changed.add(board.name);
    if (board.name === dialog.name) dialog.refresh();
  }
}

const hears = {
  boards({boards}) {
    // The answer may have been written before this: it is said once more after it.
    if (asking) for (const board of boards) meanwhile.set(board.name, board);
    hearBoards(boards);
  },
  status: take,
  strangers({strangers}) {
    fleet.strangers = strangers;
    showStrangers();
  },
  story: (line) => ticker.add(line.at, line.board, line.phase, line.text, line.weight === 'alarm'),
  notice: (line) => ticker.add(line.at, '', 'notice', line.text, true),
  reload(line) {
    if (line.at) ticker.add(line.at, '', 'reload', line.error || `generation ${line.generation}, ${line.boards} boards`, Boolean(line.error));
    takeEverything().catch(() => {});
  },
};

const live = new Live({
  async onBegin() {
    await takeEverything();
    at('link').className = 'live';
  },
  onEvent(name, data) {
    if (!hears[name]) return;
    hears[name](data);
    drawSoon();
  },
  onLost(why) {
    at('link').className = 'lost';
    set(at('link-text'), `no connection (${why}); this is the last that was heard`);
  },
  onLocked() {
    token.forget();
    at('sign-in').hidden = false;
    for (const section of document.querySelectorAll('main > section')) section.hidden = true;
    set(at('link-text'), 'a token is needed');
    at('read-token').focus();
  },
});

at('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  token.set(at('read-token').value.trim());
  at('read-token').value = '';
  onHash();
  live.run();
});
window.addEventListener('hashchange', onHash);
setInterval(() => {
  if (document.hidden || !fleet.status) return;
  if (view === 'fleet') grid.tick();
  if (view === 'boots') drawSoon();
}, 1000);
onHash();
// What is there is shown at once; the stream begins after it, and asks for what changed since.
takeEverything(firstLook).then(() => Promise.race([shown, wait(1000)]), () => {}).then(() => live.run());
