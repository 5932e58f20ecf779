// What a thousand boards cost the browser: from the navigation to the painted grid, and one update of all of them.
// Started by the script "bench", which runs the serve that it asks. Prints one JSON object, times in milliseconds.
import {chromium} from 'playwright-core';

const [base, boards, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (values) => values.map((value) => Math.round(value * 10) / 10);

// When the browser painted: anything, the last tile of the first screen, and (by the frame after it) all tiles.
const noteFirstPaint = (wanted) => {
  window.painted = {};
  const told = new MutationObserver(() => {
    for (const title of [...document.querySelectorAll('.tile b')].slice(0, 50)) title.setAttribute('elementtiming', 'tile');
    if (document.querySelector('.tile')) told.disconnect();
  });
  told.observe(document, {childList: true, subtree: true});
  new PerformanceObserver((list) => {
    window.painted.screen = Math.max(window.painted.screen || 0, ...list.getEntries().map((entry) => entry.renderTime));
  }).observe({type: 'element', buffered: true});
  const look = () => {
    if (document.querySelectorAll('.tile').length < wanted) return requestAnimationFrame(look);
    return requestAnimationFrame(() => {
      window.painted.all = performance.now();
      window.painted.page = performance.getEntriesByName('first-contentful-paint')[0].startTime;
    });
  };
  requestAnimationFrame(look);
};

// What the main thread computed so far, in its own processor time, whatever else the machine does.
async function spent(cdp) {
  const {metrics} = await cdp.send('Performance.getMetrics');
  return metrics.find((one) => one.name === 'TaskDuration').value * 1000;
}

async function firstPaint() {
  const context = await browser.newContext({viewport: {width: 1360, height: 900}});
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Performance.enable', {timeDomain: 'threadTicks'});
  await page.addInitScript(noteFirstPaint, boards);
  await new Promise((done) => setTimeout(done, 1500));  // a browser that was just asked for a window still starts processes
  await page.goto(base);
  while (!(await page.evaluate(() => window.painted.all))) await new Promise((done) => setTimeout(done, 50));
  const painted = await page.evaluate(() => window.painted);
  const computed = await spent(cdp);
  await context.close();
  return [painted, computed];
}

// Every board changes its phase at once, as the live stream brings it: 200 rows a message; until two frames later.
async function update(page, cdp, turn) {
  await page.evaluate((phase) => {
    window.told = [];
    const now = new Date().toISOString().replace(/\.\d+Z/, 'Z');
    const rows = [...fleet.boards.values()].map((board) => ({
      ...board, condition: phase % 6 === 5 ? 'up' : 'booting', last_seen: now, silent_seconds: 0,
      boot: {state: 'running', phase: phases[phase % 6], generation: 1, started: now, last_event: now, ended: null, seconds: phase,
             partial: false, bytes: phase * 100000, entered: [0, null, null, null, null, null]}}));
    for (let i = 0; i < rows.length; i += 200) window.told.push(`event: boards\ndata: ${JSON.stringify({now, boards: rows.slice(i, i + 200)})}\n\n`);
  }, turn);
  await page.waitForTimeout(200);
  const before = await spent(cdp);
  await page.evaluate(() => new Promise((done) => {
    const events = new Events((name, data) => { hears[name](data); drawSoon(); });
    for (const text of window.told) events.feed(text);
    requestAnimationFrame(() => requestAnimationFrame(done));
  }));
  return await spent(cdp) - before;
}

const paints = [];
await firstPaint();  // the browser's own start
for (let round = 0; round < rounds; ++round) paints.push(await firstPaint());

const page = await (await browser.newContext({viewport: {width: 1360, height: 900}})).newPage();
await page.goto(base);
await page.waitForSelector('.tile');
const cdp = await page.context().newCDPSession(page);
await cdp.send('Performance.enable', {timeDomain: 'threadTicks'});
const updates = [];
for (let round = 0; round < rounds + 2; ++round) updates.push(await update(page, cdp, round));
updates.splice(0, 2);
console.log(JSON.stringify({
  boards,
  ...Object.fromEntries([['page', 'page_first_painted'], ['screen', 'screen_of_boards_painted'], ['all', 'all_boards_painted']].map(
      ([what, name]) => [`${name}_ms`, rounded([median(paints.map(([painted]) => painted[what])), ...paints.map(([painted]) => painted[what])])])),
  first_paint_main_thread_ms: Math.round(median(paints.map(([, computed]) => computed))),
  update_main_thread_ms: Math.round(median(updates)), updates_ms: rounded(updates)}));
await browser.close();
