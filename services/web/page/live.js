// The connection to the server: a stream of what changes, taken up again by itself, and single
// questions. It keeps nothing of what it hears.
'use strict';

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const token = {
  get() { return sessionStorage.getItem('token') || ''; },
  set(value) { sessionStorage.setItem('token', value); },
  forget() { sessionStorage.removeItem('token'); },
};

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function headersOf(more) {
  return token.get() ? {...more, Authorization: `Bearer ${token.get()}`} : more;
}

async function read(answer) {
  const type = answer.headers.get('Content-Type') || '';
  const body = type.startsWith('application/json') ? await answer.json() : {error: await answer.text()};
  if (!answer.ok) throw new Refused(answer.status, body.error || `the server answered ${answer.status}`);
  return body;
}

// Whoever waits for an answer that never comes would not connect again either.
const answerMax = 20000;

async function ask(path) {
  return read(await fetch(path, {headers: headersOf({}), cache: 'no-store', signal: AbortSignal.timeout(answerMax)}));
}

// Something is to be changed: the marker is what no other site's page can send.
async function change(method, path, body) {
  const more = {'X-Bramble-Request': '1'};
  if (body) more['Content-Type'] = 'application/json';
  return read(await fetch(path, {method, headers: headersOf(more), body: body && JSON.stringify(body)}));
}

// HTML Living Standard 9.2.6, as far as this server makes use of it.
class Events {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = '';
  }

  feed(text) {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop();
    for (const block of blocks) {
      let name = '';
      const data = [];
      for (const line of block.split('\n')) {
        if (line.startsWith('event: ')) name = line.slice(7);
        if (line.startsWith('data: ')) data.push(line.slice(6));
      }
      if (data.length) this.onEvent(name, JSON.parse(data.join('\n')));
    }
  }
}

// `onBegin` asks for everything once the stream has begun, so that nothing falls between.
class Live {
  static silenceMax = 40000;  // the server says something every 15 s
  static pauseMax = 10000;

  constructor(handlers) {
    this.handlers = handlers;
    this.pause = 500;
  }

  async run() {
    for (;;) {
      let why = 'it ended the connection';
      try {
        await this.follow();
      } catch (error) {
        why = error.message;
        if (error.status === 401) {
          this.handlers.onLocked();
          return;
        }
      }
      this.handlers.onLost(why);
      await wait(this.pause * (0.7 + 0.6 * Math.random()));
      this.pause = Math.min(this.pause * 1.6, Live.pauseMax);
    }
  }

  async follow() {
    const stop = new AbortController();
    let watchdog = setTimeout(() => stop.abort(), Live.silenceMax);
    try {
      const answer = await fetch('/api/v1/live', {headers: headersOf({}), cache: 'no-store', signal: stop.signal});
      if (!answer.ok) await read(answer);
      const events = new Events(this.handlers.onEvent);
      const text = new TextDecoder();
      const reader = answer.body.getReader();
      for (let begun = false;;) {
        const {value, done} = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => stop.abort(), Live.silenceMax);
        if (!begun) {
          begun = true;
          await this.handlers.onBegin();
          this.pause = 500;
        }
        events.feed(text.decode(value, {stream: true}));
      }
    } finally {
      clearTimeout(watchdog);
      stop.abort();
    }
  }
}

const askForEverything = () => Promise.all([ask('/api/v1/status'), ask('/api/v1/boards')]);
const firstLook = askForEverything();
firstLook.catch(() => {});  // whoever waits for it hears of it
