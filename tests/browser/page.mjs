// The status page in a real browser, against a real serve: started by browser_test.py, which boots boards when it is
// asked to ("@boot" on stdout, an answer on stdin). One line for each check: "ok NAME" or "failed NAME: why".
import {createInterface} from 'node:readline';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {chromium} from 'playwright-core';

const [base, wall, token, shots, boards] = process.argv.slice(2);
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const errors = [];

async function tell(what) {
  console.log(`@${what}`);
  return (await lines.next()).value;
}

async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`failed ${name}: ${String(error.message || error).replaceAll('\n', ' | ').slice(0, 1500)}`);
  }
}

function equal(got, wanted, what = '') {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
  }
}

const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});

// `expected`: what a browser says of refusals that a test provokes.
async function open(options = {}, expected = []) {
  const context = await browser.newContext({viewport: {width: 1360, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  page.on('pageerror', (error) => errors.push(`${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !expected.some((one) => text.includes(one))) errors.push(text);
  });
  return page;
}

// Not waitForFunction: it evaluates text in the page, which the page's own policy forbids.
async function until(page, predicate, argument, {timeout = 30000} = {}) {
  const deadline = Date.now() + timeout;
  while (!(await page.evaluate(predicate, argument))) {
    if (Date.now() > deadline) throw new Error(`not within ${timeout / 1000} s: ${predicate}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const isLive = (page) => page.waitForSelector('#link.live');
const count = async (page, condition) => Number(await page.textContent(`#summary button[data-condition="${condition}"] b`));
const saw = (page, condition, timeout = 90000) => until(page, 
    (one) => document.querySelectorAll(`.tile.${one}`).length > 0, condition, {timeout});

// Colours, names, roles, order: whatever axe calls serious.
async function accessible(page, what) {
  await page.evaluate(axeSource);
  const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  const serious = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical');
  equal(serious.map((one) => `${one.id}: ${one.nodes.slice(0, 2).map((node) => node.html).join(' ')}`), [], `axe at ${what}`);
}

const page = await open({}, ['401', '409', '503', 'ERR_', 'Failed to load resource']);
await page.goto(base);
await check('the page begins by itself', async () => {
  await isLive(page);
  equal(await page.locator('.tile').count(), Number(boards), 'tiles');
  equal(await count(page, 'never-seen'), Number(boards), 'never seen');
});
await tell('boot');

await check('boards that boot and that wait are shown as they do', async () => {
  await Promise.all([saw(page, 'booting'), saw(page, 'waiting')]);
  await until(page, () => /number \d+, in ~/.test(document.querySelector('.tile.waiting small')?.textContent));
  await page.screenshot({path: `${shots}/fleet-booting.png`});
});
await check('boots are shown side by side with the link and the queue', async () => {
  await page.click('a[data-view=boots]');
  await page.waitForSelector('.boot-row svg rect');
  await page.waitForSelector('#queue li');
  await until(page, () => document.querySelector('#link-use path.area')?.getAttribute('d').includes('L'));
  await page.screenshot({path: `${shots}/boots.png`});
  await accessible(page, 'boots');
  await page.click('a[data-view=fleet]');
});
await check('what boards do is told as it happens', async () => {
  await until(page, () => document.querySelectorAll('#lines li').length > 3);
});
await check('an unknown board is adopted after the token is asked for', async () => {
  await page.click('a[data-view=unknown]');
  await page.click('button[aria-label="Adopt 600000ee"]');
  await page.fill('#field-name', 'pi-new');
  await accessible(page, 'adopt');
  await page.fill('#token', 'a token that is wrong');
  await page.click('#operator-go');
  await page.waitForSelector('#operator-error:not([hidden])');
  equal(await page.textContent('#operator-error'), "the token is not the operator's: `sudo bramble token` prints it");
  equal(await page.inputValue('#token'), '', 'the wrong token');
  await page.screenshot({path: `${shots}/adopt-refused.png`});
  await page.fill('#token', token);
  await page.click('#operator-go');
  await page.waitForSelector('#operator:not([open])', {state: 'attached'});
  await until(page, () => document.getElementById('done').textContent.includes('pi-new is in the fleet'));
  await until(page, () => document.getElementById('strangers-count').hidden);
  await page.click('a[data-view=fleet]');
  await page.waitForSelector('.tile[data-name=pi-new]');
});
await check('the token stays in this tab and nowhere else', async () => {
  equal(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]), [1, 0, '']);
  equal(page.url().includes(token), false, 'the address holds it');
});
await check('an adopted board is forgotten without asking again', async () => {
  await page.click('.tile[data-name=pi-new]');
  await page.click('#board-forget');
  await page.click('#operator-go');
  await page.waitForSelector('.tile[data-name=pi-new]', {state: 'detached'});
});
await check('a board that stands in the fleet file is not', async () => {
  await page.click('.tile[data-name=pi-00]');
  await page.click('#board-forget');
  await page.click('#operator-go');
  await until(page, () => document.getElementById('operator-error').textContent.includes('was not adopted'));
  await page.click('#operator-cancel');
  await page.keyboard.press('Escape');
});
await check('every board comes up', async () => {
  await until(page, (all) => document.querySelectorAll('.tile.up').length >= all - 2, Number(boards), {timeout: 400000});
  await page.screenshot({path: `${shots}/fleet-up.png`});
});
await check('a real guest is among them, with its kernel', async () => {
  await page.click('.tile.up[data-name=guest]');
  await until(page, () => /6\.\d+\.\d+-\S*arm64/.test(document.getElementById('board-facts').textContent));
  await page.screenshot({path: `${shots}/guest.png`});
  await page.keyboard.press('Escape');
});
await check('a board that stopped is shown as stuck', async () => {
  await saw(page, 'stuck', 120000);
  equal([await count(page, 'stuck'), await count(page, 'never-seen'), await count(page, 'up')], [1, 1, Number(boards) - 2], 'counts');
  await page.click('.tile.stuck');
  await page.waitForSelector('#board-diagnosis:not([hidden])');
  await page.screenshot({path: `${shots}/board-stuck.png`});
  await page.keyboard.press('Escape');
});
await check('a board has its boot as a waterfall', async () => {
  await page.click('.tile[data-name=pi-01]');
  await page.waitForSelector('#waterfall tbody tr');
  const files = await page.locator('#waterfall tbody tr td:first-child').allTextContents();
  equal(['start4.elf', 'kernel8.img', 'config.txt'].filter((name) => !files.includes(name)), [], 'missing files');
  equal(await page.locator('#waterfall .phase-row').count() >= 5, true, 'phases');
  await accessible(page, 'board');
  await page.screenshot({path: `${shots}/board.png`});
});
await check('a board says what it gets and which rule gave it', async () => {
  await page.click('#tab-texts');
  await page.waitForSelector('#panel-texts td.line');
  const rows = await page.locator('#panel-texts tr').allTextContents();
  const has = (start, end) => rows.some((row) => row.startsWith(start) && row.includes(end));
  equal([has('console=tty1', "profile 'pi'"), has('root=/dev/nfs', 'Bramble'), has('arm_64bit=1', "profile 'pi'")], [true, true, true], rows.join('; '));
  await accessible(page, 'texts');
  await page.screenshot({path: `${shots}/texts.png`});
  for (const tab of ['console', 'history']) {
    await page.click(`#tab-${tab}`);
    await page.waitForSelector(`#panel-${tab} > *`);
    await accessible(page, tab);
  }
  await page.keyboard.press('Escape');
});
await check('a generation is rolled back to', async () => {
  await page.click('a[data-view=generations]');
  await page.click('button[aria-label="Roll back to generation 1"]');
  await page.click('#operator-go');
  await until(page, () => document.querySelector('.generation.current > b')?.textContent === '1');
  await until(page, () => document.getElementById('link-text').textContent === 'generation 1');
  await accessible(page, 'generations');
  await page.screenshot({path: `${shots}/generations.png`});
  await page.click('a[data-view=fleet]');
});
await check('keys alone lead through the grid and back', async () => {
  await page.keyboard.press('/');
  await until(page, () => document.activeElement.id === 'find');
  await page.keyboard.type('pi-0');
  equal(await page.locator('.tile:visible').count() <= 10, true, 'boards named pi-0…');
  await page.focus('.tile:visible');
  await page.keyboard.press('ArrowRight');
  const name = await page.evaluate(() => document.activeElement.dataset.name);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#board[open]');
  equal(await page.textContent('#board-name'), name, 'opened');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#board:not([open])', {state: 'attached'});
  await page.fill('#find', '');
});
await check('the page comes back when the server does', async () => {
  await tell('restart');
  await page.waitForSelector('#link.lost', {timeout: 20000}).catch(() => {});
  await isLive(page);
  await until(page, () => document.querySelectorAll('.tile.up').length > 0);
});
for (const [name, options] of [['light', {}], ['dark', {colorScheme: 'dark'}],
                               ['phone', {viewport: {width: 390, height: 844}, colorScheme: 'dark', hasTouch: true}]]) {
  await check(`axe finds nothing serious, ${name}`, async () => {
    const other = await open(options);
    await other.goto(base);
    await isLive(other);
    await other.waitForSelector('.tile.up');
    await accessible(other, name);
    equal(await other.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, 'it fits the width');
    await other.screenshot({path: `${shots}/fleet-${name}.png`});
    await other.context().close();
  });
}
await check('the wall shows states and offers nothing', async () => {
  const other = await open();
  await other.goto(wall);
  await isLive(other);
  await other.waitForSelector('.tile.up');
  equal(await other.locator('header nav a:visible').allTextContents(), ['Fleet', 'Boots'], 'views');
  await other.locator('.tile').first().click();
  equal(await other.locator('#board[open]').count(), 0, 'dialogs');
  await other.screenshot({path: `${shots}/wall.png`});
  await other.context().close();
});
await check('another site can neither read nor change anything', async () => {
  const other = await open({}, ['CORS', 'Failed to load resource', 'blocked', 'Content Security', 'ERR_']);
  await other.goto('data:text/html,<h1>elsewhere</h1>');
  const outcomes = await other.evaluate(async ([to, secret]) => {
    const tries = [fetch(`${to}/api/v1/boards`), fetch(`${to}/api/v1/rollback`, {method: 'POST', body: '{"generation":2}', mode: 'no-cors'}),
                   fetch(`${to}/api/v1/rollback`, {method: 'POST', body: '{"generation":2}', headers: {Authorization: `Bearer ${secret}`, 'X-Bramble-Request': '1', 'Content-Type': 'application/json'}})];
    return (await Promise.allSettled(tries)).map((one) => (one.status === 'rejected' ? 'rejected' : one.value.type));
  }, [base, token]);
  equal(outcomes, ['rejected', 'rejected', 'rejected']);
  equal(await page.evaluate(async () => (await ask('/api/v1/status')).generation), 1, 'generation');
  await other.context().close();
});
await check('no error on any console', async () => equal(errors, []));
await browser.close();
process.exit(0);
