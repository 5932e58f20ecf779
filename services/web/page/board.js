// One board: its boot as a waterfall, what it gets and which rule says so, its console, its history.
'use strict';

class BoardDialog {
  constructor(operator) {
    this.name = '';
    this.tab = 'boot';
    this.asking = false;
    this.again = false;
    at('board-close').addEventListener('click', () => at('board').close());
    at('board').addEventListener('close', () => { if (this.name) { this.name = ''; this.onClose(); } });
    for (const tab of this.tabs()) tab.addEventListener('click', () => this.choose(tab.id.slice(4)));
    at('board').querySelector('.tabs').addEventListener('keydown', (event) => this.onArrow(event));
    at('board-forget').addEventListener('click', () => operator.forget(this.name, () => at('board').close()));
    this.onClose = () => {};
  }

  tabs() { return [...at('board').querySelectorAll('[role=tab]')]; }

  onArrow(event) {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const tabs = this.tabs();
    const next = tabs[(tabs.findIndex((tab) => tab.id === `tab-${this.tab}`) + step + tabs.length) % tabs.length];
    this.choose(next.id.slice(4));
    next.focus();
  }

  choose(name) {
    this.tab = name;
    for (const tab of this.tabs()) {
      const chosen = tab.id === `tab-${name}`;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      at(tab.getAttribute('aria-controls')).hidden = !chosen;
    }
    if (name === 'texts') this.showTexts();
    if (name === 'console') this.showConsole(0);
  }

  async open(name) {
    if (this.name === name) return;
    this.name = name;
    this.choose('boot');
    for (const id of ['panel-texts', 'panel-console', 'panel-history', 'waterfall', 'board-facts']) at(id).replaceChildren();
    set(at('board-name'), name);
    if (!at('board').open) at('board').showModal();
    await this.refresh();
  }

  close() {
    this.name = '';
    if (at('board').open) at('board').close();
  }

  // Called as often as anything of the board changes: one question at a time.
  async refresh() {
    if (!this.name) return;
    if (this.asking) { this.again = true; return; }
    this.asking = true;
    const name = this.name;
    try {
      const board = await ask(`/api/v1/boards/${encodeURIComponent(name)}`);
      if (this.name === name) this.show(board);
    } catch (error) {
      if (this.name === name) set(at('board-note'), error.message);
    }
    await new Promise((done) => setTimeout(done, 500));
    this.asking = false;
    if (this.again) { this.again = false; this.refresh(); }
  }

  show(board) {
    const state = at('board-state');
    state.className = `pill ${board.condition}`;
    state.replaceChildren(make('span', undefined, 'dot'), stateOf(board));
    set(at('board-note'), noteOf(board));
    const diagnosis = board.diagnosis || (board.boot && board.boot.diagnosis) || '';
    set(at('board-diagnosis'), diagnosis);
    at('board-diagnosis').hidden = !diagnosis;
    this.showFacts(board);
    this.showBoot(board.boot);
    this.showHistory(board.history);
    at('board-forget').hidden = false;
    if (this.tab === 'console') this.showConsole(0);
  }

  showFacts(board) {
    const boot = board.boot || {};
    const facts = {
      Model: board.model, Profile: board.profile, Address: board.address, MAC: board.mac, Serial: board.serial,
      Generation: boot.generation, Kernel: boot.kernel, Ended: boot.ending, 'Boot began': boot.started && moment(boot.started),
      'Last sign': board.last_seen && moment(board.last_seen),
    };
    at('board-facts').replaceChildren(...Object.entries(facts).filter(([, value]) => value).map(([name, value]) => {
      const pair = make('div');
      pair.append(make('dt', name), make('dd', String(value)));
      return pair;
    }));
  }

  showBoot(boot) {
    if (!boot) {
      at('waterfall').replaceChildren(make('p', 'This board has not asked for anything yet.', 'empty'));
      return;
    }
    const total = Math.max(boot.seconds, isOver(boot) ? 0 : reach(boot), ...boot.files.map((file) => file.until), 0.1);
    const table = make('table');
    table.append(make('caption', `Phases and files over ${span(total)}`, 'unseen'));
    const head = make('tr');
    for (const [title, name] of [['File', ''], ['Over time', 'lane-cell'], ['Size', ''], ['Took', ''], ['Result', '']]) {
      const cell = make('th', title, name);
      cell.scope = 'col';
      head.append(cell);
    }
    const header = make('thead');
    header.append(head);
    const body = make('tbody');
    body.append(...boot.files.map((file) => this.fileRow(file, total)));
    table.append(header, body);
    const wide = make('div', undefined, 'wide');
    wide.append(table);
    const bars = phasePieces(boot, total).map((piece) => {
      const row = make('div', undefined, 'phase-row');
      row.append(make('span', phases[Number(piece.name.slice(1))]), lane(0, total, [piece]), make('span', span(piece.until - piece.at), 'time'));
      return row;
    });
    const dropped = boot.files_dropped ? [make('p', `${boot.files_dropped} more files are not kept.`, 'quiet')] : [];
    const files = boot.files.length ? [make('h3', `Files, ${size(boot.bytes)}`), wide, ...dropped] : [make('p', 'It has asked for no file.', 'quiet')];
    at('waterfall').replaceChildren(make('h3', 'Phases'), ...bars, ...files);
  }

  fileRow(file, total) {
    const row = make('tr');
    const bar = make('td', undefined, 'lane-cell');
    bar.append(lane(0, total, [{at: file.at, until: file.until, name: `f-${file.outcome}`}]));
    let result = file.outcome;
    if (file.loads > 1) result += ` ${file.loads} times`;
    if (file.probes) result += `, ${file.probes} probe${file.probes > 1 ? 's' : ''}`;
    if (file.retransmissions) result += `, ${file.retransmissions} sent again`;
    row.append(make('td', file.path), bar, make('td', file.loads ? size(file.bytes) : '–', 'nowrap'),
               make('td', file.loads ? span(file.seconds) : '–', 'nowrap'), make('td', result));
    return row;
  }

  showHistory(history) {
    if (!history.length) {
      at('panel-history').replaceChildren(make('p', 'No earlier boot is kept.', 'empty'));
      return;
    }
    const longest = Math.max(...history.map((boot) => boot.seconds), 0.1);
    const table = make('table');
    const head = make('tr');
    for (const title of ['Began', 'Phases', 'Took', 'Generation', 'How it ended']) {
      const cell = make('th', title, title === 'Phases' ? 'lane-cell' : '');
      cell.scope = 'col';
      head.append(cell);
    }
    const body = make('tbody');
    body.append(...history.map((boot) => {
      const row = make('tr');
      const bar = make('td', undefined, 'lane-cell');
      bar.append(lane(0, longest, phasePieces(boot, boot.seconds)));
      const end = boot.ending || boot.state;
      row.append(make('td', moment(boot.started), 'nowrap'), bar, make('td', span(boot.seconds), 'nowrap'),
                 make('td', String(boot.generation)), make('td', boot.diagnosis ? `${end}: ${boot.diagnosis}` : end));
      return row;
    }));
    const header = make('thead');
    header.append(head);
    table.append(header, body);
    const wide = make('div', undefined, 'wide');
    wide.append(table);
    at('panel-history').replaceChildren(wide);
  }

  async showTexts() {
    const name = this.name;
    const panel = at('panel-texts');
    let parts;
    try {
      const told = await ask(`/api/v1/boards/${encodeURIComponent(name)}/explanation`);
      parts = [make('p', `Generation ${told.generation}; ${told.where || 'enrolled, in no file'}; profile '${told.profile}'.`, 'quiet')];
      for (const file of told.files.filter((one) => one.lines)) parts.push(make('h3', file.path), this.linesTable(file.lines));
      parts.push(make('h3', 'Files'), this.filesTable(told.files));
    } catch (error) {
      parts = [make('p', error.message, 'empty')];
    }
    if (this.name === name) panel.replaceChildren(...parts);
  }

  linesTable(lines) {
    const body = make('tbody');
    body.append(...lines.map((line) => {
      const row = make('tr');
      row.append(make('td', line.text || '\u00a0', 'line'), make('td', line.where ? `${line.from}, ${line.where.split('/').pop()}` : line.from, 'origin'));
      row.lastChild.title = line.where;
      return row;
    }));
    return this.table(['What stands there', 'Which rule gave it'], body);
  }

  filesTable(files) {
    const body = make('tbody');
    body.append(...files.map((file) => {
      const row = make('tr');
      row.append(make('td', file.path), make('td', size(file.bytes), 'nowrap'), make('td', file.from, 'origin'));
      return row;
    }));
    return this.table(['File', 'Size', 'From'], body);
  }

  table(titles, body) {
    const table = make('table');
    const head = make('tr');
    for (const title of titles) {
      const cell = make('th', title);
      cell.scope = 'col';
      head.append(cell);
    }
    const header = make('thead');
    header.append(head);
    table.append(header, body);
    const wide = make('div', undefined, 'wide');
    wide.append(table);
    return wide;
  }

  // Of the latest boot (0), as its boot loader and its kernel sent it.
  async showConsole(number) {
    const name = this.name;
    let text = '';
    try {
      text = (await ask(`/api/v1/boards/${encodeURIComponent(name)}/boots/${number}`)).console || '';
    } catch (error) {
      if (error.status !== 404) text = error.message;
    }
    if (this.name !== name) return;
    at('panel-console').replaceChildren(
        text ? make('pre', text, 'console') : make('p', 'Nothing came from its boot loader or its kernel in this boot.', 'empty'));
  }
}
