// What a thousand boards cost the browser: from the navigation to the painted grid, and one update of all of them.
// Started by the script "bench", which runs the serve that it asks. Prints one JSON object, times in milliseconds.
import {chromium} from 'playwright-core';

const [base, boards, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (values) => values.map((value) => Math.round(value * 10) / 10);

// The frame after the one in which all tiles are there: by then they have been painted.
const noteFirstPaint = (wanted) => {
  const look = () => {
    if (document.querySelectorAll('.tile').length < wanted) return requestAnimationFrame(look);
    return requestAnimationFrame(() => { window.paintedAt = performance.now(); });
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
  await page.goto(base);
  while (!(await page.evaluate(() => window.paintedAt))) await new Promise((done) => setTimeout(done, 50));
  const painted = await page.evaluate(() => window.paintedAt);
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
  boards, first_paint_ms: Math.round(median(paints.map(([painted]) => painted))), first_paints_ms: rounded(paints.map(([painted]) => painted)),
  first_paint_main_thread_ms: Math.round(median(paints.map(([, computed]) => computed))),
  update_main_thread_ms: Math.round(median(updates)), updates_ms: rounded(updates)}));
await browser.close();
