// Boots side by side: a row for each board over one axis of time, the queue before the link, and
// how full the link is. It is drawn only while somebody looks at it.
'use strict';

class MassBoot {
  static samplesMax = 900;
  static rowsMax = 1000;
  static justEnded = 60;

  constructor() {
    this.samples = [];  // bytes of each of the last seconds
    this.rows = new Map();
    at('legend').append(...phases.map((phase, i) => {
      const item = make('span');
      item.append(make('i', undefined, `k${i}`), phase);
      return item;
    }));
    at('window').addEventListener('change', () => this.onWindow());
    this.onWindow = () => {};
  }

  // How far back the axis reaches. Of what boots: to the first of the boots that run or just ended.
  span(boards) {
    const chosen = Number(at('window').value);
    if (chosen) return chosen;
    const now = server.now();
    const starts = boards.filter((board) => board.boot && !board.boot.partial && board.condition !== 'stuck' &&
        (!isOver(board.boot) || now - seconds(board.boot.ended) < MassBoot.justEnded)).map((board) => seconds(board.boot.started));
    return starts.length ? Math.max(15, (now - Math.min(...starts)) * 1.02) : 300;
  }

  hear(status) {
    if (!status.link_use) return;
    if (status.link_use.length > 1) this.samples = status.link_use.slice();
    else this.samples.push(...status.link_use);
    this.samples.splice(0, this.samples.length - MassBoot.samplesMax);
  }

  show(boards, status) {
    this.showFigures(boards, status);
    this.showLink(status, Math.max(60, Math.ceil(this.span(boards))));
    this.showRows(boards, this.span(boards));
    this.showQueue(status);
  }

  showFigures(boards, status) {
    const admission = status.admission;
    const figures = [
      [status.boards.booting, 'boot now'], [status.boards.waiting, 'wait'], [status.boards.up, `up, of ${status.boards.total}`],
      [status.open_transfers, 'transfers'],
    ];
    if (admission.enabled) figures.push([`${admission.inside} / ${admission.capacity}`, 'places taken']);
    const box = at('figures');
    while (box.children.length < figures.length) {
      const figure = make('div');
      figure.append(make('b'), make('span'));
      box.append(figure);
    }
    figures.forEach(([value, name], i) => {
      set(box.children[i].firstChild, String(value));
      set(box.children[i].lastChild, name);
    });
  }

  showLink(status, window) {
    const limit = status.admission.enabled ? status.admission.link_bytes_per_second : 0;
    const samples = this.samples.slice(-Math.min(window, MassBoot.samplesMax));
    const now = samples.length ? samples[samples.length - 1] : 0;
    const top = Math.max(...samples, 1) > limit / 3 && limit ? Math.max(limit * 1.08, ...samples) : Math.max(...samples, 1000) * 1.15;
    const share = limit ? `, ${Math.round(100 * now / limit)} % of ${rate(limit)}` : '';
    set(at('link-now'), `${rate(now)}${share}; scale ${rate(top)}`);
    at('link-use').setAttribute('aria-label', `Link use: now ${rate(now)}${share}, at most ${rate(Math.max(...samples, 0))} in this time`);
    const wide = Math.min(window, MassBoot.samplesMax);
    const y = (bytes) => (100 - bytes / top * 100).toFixed(2);
    const start = wide - samples.length;
    const points = samples.map((bytes, i) => `L${start + i + 1} ${y(bytes)}`).join('');
    const box = shape('svg', {viewBox: `0 0 ${wide} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
    box.append(shape('path', {class: 'area', d: `M${start} 100${points}L${wide} 100Z`}));
    if (limit && limit < top) box.append(shape('path', {class: 'limit', d: `M0 ${y(limit)}H${wide}`}));
    at('link-use').replaceChildren(box);
  }

  showRows(boards, window) {
    const now = server.now();
    const from = now - window;
    const wanted = boards.filter((board) => board.boot && !board.boot.partial && seconds(board.boot.started) + reach(board.boot) >= from)
        .sort((a, b) => seconds(a.boot.started) - seconds(b.boot.started)).slice(0, MassBoot.rowsMax);
    const list = document.createDocumentFragment();
    const kept = new Set();
    for (const board of wanted) {
      kept.add(board.name);
      let row = this.rows.get(board.name);
      if (!row) {
        row = make('div', undefined, 'boot-row');
        row.setAttribute('role', 'listitem');
        const name = make('a', board.name);
        name.href = `#board/${encodeURIComponent(board.name)}`;
        row.append(name, make('span'), make('span', '', 'time'));
        this.rows.set(board.name, row);
      }
      const started = seconds(board.boot.started);
      const name = `boot-row ${board.condition}`;
      if (row.className !== name) row.className = name;
      row.children[1].replaceWith(lane(from - started, now - started, phasePieces(board.boot, reach(board.boot))));
      set(row.children[2], board.condition === 'up' ? span(board.boot.seconds) : board.condition === 'booting' ? board.boot.phase : stateOf(board).split(' ')[0]);
      list.append(row);
    }
    for (const name of this.rows.keys()) if (!kept.has(name)) this.rows.delete(name);
    const scrolled = at('lanes').scrollTop;
    at('lanes').replaceChildren(list);
    at('lanes').scrollTop = scrolled;
    at('lanes').hidden = wanted.length === 0;
    at('no-boots').hidden = wanted.length !== 0;
  }

  showQueue(status) {
    const queue = status.admission.queue || [];
    at('queue-box').hidden = queue.length === 0;
    at('queue').replaceChildren(...queue.map((place) => make(
        'li', `${place.board}: in about ${wholeSpan(Math.max(0, seconds(place.expected_start) - server.now()))}${place.retry ? ', again' : ''}`)));
  }
}
