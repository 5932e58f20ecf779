// An open status page, until its process is ended. Says "watching" once all that is known is shown, and "lost" when it hears no more.
import {chromium} from 'playwright-core';

const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
const page = await (await browser.newContext({viewport: {width: 1360, height: 900}})).newPage();
await page.goto(process.argv[2]);
await page.waitForSelector('#link.live');
console.log('watching');
page.waitForSelector('#link:not(.live)', {timeout: 0}).then(() => console.log('lost'), () => {});
