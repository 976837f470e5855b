// The policies that the bridge writes for browsers: a website that is listed reaches it, and nobody is asked.

import type { Page } from '@playwright/test';

import { randomPasscode } from '../harness/people.ts';
import { test } from '../own-browser.ts';
import { expectReader, open } from '../steps/page.ts';
import { unlock } from '../steps/unlock.ts';

test.use({ worldOptions: { website: true }, ignoreHTTPSErrors: true });

/** Chromium denies by itself where it has no window to ask in; Firefox asks. */
async function expectNotLetIn(page: Page, browserName: string): Promise<void> {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  const asks = browserName === 'firefox';
  await expectReader(page, asks ? 'Your browser is asking you a question. Choose Allow.' : 'Your browser is blocking your reader.');
}

test('without policies the browser does not let a website in unasked', async ({ page, browserName, world, watch }) => {
  watch.expect(/127\.0\.0\.1/);
  await world.insertLocked('member');
  await expectNotLetIn(page, browserName);
});

test.describe('with the policies for this website', () => {
  test.use({ browserOptions: { policies: 'this website' } });

  test('a card is unlocked, and nobody is asked', async ({ page, world }) => {
    const card = await world.insertLocked('member');
    await unlock(page, card, world.mailbox, randomPasscode());
  });
});

test.describe('with the policies for another website', () => {
  test.use({ browserOptions: { policies: 'another website' } });

  test('the browser does not let this one in unasked', async ({ page, browserName, world, watch }) => {
    watch.expect(/127\.0\.0\.1/);
    await world.insertLocked('member');
    await expectNotLetIn(page, browserName);
  });
});
