// The fleet as a grid: a tile for each board, which is touched only when something of it changed.
'use strict';

const conditions = ['up', 'booting', 'waiting', 'stuck', 'silent', 'never-seen'];

class Grid {
  static firstMax = 70;    // tiles: about a screen
  static restAfter = 150;  // milliseconds, in which a browser has painted the first

  constructor(onOpen) {
    this.tiles = new Map();  // name -> its parts
    this.shown = '';         // the condition that the grid is limited to; '' is all
    this.wanted = '';        // what names hold
    this.template = this.makeTemplate();
    at('boards').addEventListener('click', (event) => {
      const tile = event.target.closest('.tile');
      if (tile) onOpen(tile.dataset.name);
    });
    at('boards').addEventListener('keydown', (event) => this.onArrow(event));
    at('find').addEventListener('input', () => {
      this.wanted = at('find').value.trim().toLowerCase();
      this.filter();
    });
  }

  makeTemplate() {
    const item = make('li');
    const tile = make('button', undefined, 'tile');
    tile.type = 'button';
    const steps = make('span', undefined, 'steps');
    steps.setAttribute('aria-hidden', 'true');
    tile.append(make('b', ' '), make('span', ' ', 'state'), steps, make('small', ' '));
    item.append(tile);
    return item;
  }

  makeTile(name) {
    const item = this.template.cloneNode(true);
    const tile = item.firstChild;
    const [title, state, , note] = tile.children;
    title.firstChild.data = name;
    tile.dataset.name = name;
    return {item, tile, state: state.firstChild, note: note.firstChild, board: null, hidden: false};
  }

  // All boards, in the fleet file's order.
  replace(boards) {
    const names = new Set(boards.map((board) => board.name));
    for (const [name, parts] of this.tiles) {
      if (!names.has(name)) { parts.item.remove(); this.tiles.delete(name); }
    }
    const list = document.createDocumentFragment();
    let next = at('boards').firstChild;  // undefined from where the tiles do not stand in this order
    for (const board of boards) {
      let parts = this.tiles.get(board.name);
      if (!parts) {
        parts = this.makeTile(board.name);
        this.tiles.set(board.name, parts);
      }
      this.show(parts, board);
      if (next === parts.item) {
        next = next.nextSibling;
      } else {
        next = undefined;
        list.append(parts.item);
      }
    }
    at('boards').append(list);
    this.nobody();
  }

  update(board) {
    const parts = this.tiles.get(board.name);
    if (parts) this.show(parts, board);
  }

  show(parts, board) {
    parts.board = board;
    const state = stateOf(board);
    if (parts.state.data !== state) {
      parts.state.data = state;
      parts.tile.className = `tile ${board.condition}`;
      parts.tile.dataset.at = board.condition === 'up' ? 6 : board.boot ? phases.indexOf(board.boot.phase) : '';
    }
    this.note(parts);
    if (this.shown || this.wanted || parts.hidden) this.hide(parts);
  }

  hide(parts) {
    const hidden = this.hides(parts.board);
    if (parts.hidden !== hidden) parts.item.hidden = parts.hidden = hidden;
  }

  note(parts) {
    const note = noteOf(parts.board);
    if (parts.note.data !== note) parts.note.data = note;
  }

  // Spans that count on by themselves.
  tick() {
    for (const parts of this.tiles.values()) {
      const condition = parts.board.condition;
      if (condition !== 'up' && condition !== 'never-seen' && !parts.hidden) this.note(parts);
    }
  }

  hides(board) {
    return (this.shown !== '' && this.shown !== board.condition) ||
           (this.wanted !== '' && ![board.name, board.serial, board.mac, board.address].some(
               (text) => text && text.toLowerCase().includes(this.wanted)));
  }

  filter() {
    for (const parts of this.tiles.values()) this.hide(parts);
    this.nobody();
  }

  nobody() {
    let some = false;
    for (const parts of this.tiles.values()) {
      if (!parts.hidden) { some = true; break; }
    }
    at('nobody').hidden = some;
  }

  showCounts(counts) {
    const summary = at('summary');
    const kinds = ['', ...conditions.filter((condition) => condition in counts)];
    if (summary.children.length !== kinds.length) {
      summary.replaceChildren(...kinds.map((condition) => {
        const button = make('button', undefined, condition);
        button.type = 'button';
        button.dataset.condition = condition;
        if (condition) button.append(make('span', undefined, 'dot'));
        button.append(make('b'), make('span', condition ? words[condition] : 'boards'));
        button.addEventListener('click', () => {
          this.shown = this.shown === condition ? '' : condition;
          for (const other of summary.children) {
            other.setAttribute('aria-pressed', String(other.dataset.condition === this.shown));
          }
          this.filter();
        });
        button.setAttribute('aria-pressed', String(this.shown === condition));
        return button;
      }));
    }
    kinds.forEach((condition, i) => {
      set(summary.children[i].querySelector('b'), String(condition ? counts[condition] : counts.total));
    });
  }

  onArrow(event) {
    const tile = event.target.closest('.tile');
    const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0, Home: -Infinity, End: Infinity}[event.key];
    if (!tile || steps === undefined) return;
    event.preventDefault();
    const all = [...at('boards').children].filter((item) => !item.hidden);
    const across = Math.max(1, all.findIndex((item) => item.offsetTop > all[0].offsetTop));
    const step = event.key === 'ArrowDown' ? across : event.key === 'ArrowUp' ? -across : steps;
    const to = Math.max(0, Math.min(all.length - 1, all.indexOf(tile.parentElement) + step));
    all[to].firstChild.focus();
  }
}

// What boards do, as lines: the latest, and no more than one can read.
class Ticker {
  static linesMax = 40;

  add(when, who, what, text, alarmed) {
    const line = make('li', undefined, alarmed ? 'alarmed' : '');
    line.append(make('time', clock(when)), make('b', who), make('i', what), make('span', text));
    at('lines').prepend(line);
    while (at('lines').children.length > Ticker.linesMax) at('lines').lastChild.remove();
  }
}
