// Pressing a button before the page is taken over by its script, or where that or a part of it never comes.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { expectHeading, expectStep, open, takenOver } from '../steps/page.ts';
import { UNLOCK, answerRightly, enterRightCode, fillAnswers, start } from '../steps/unlock.ts';

/** Everything that a browser sent. */
function watchRequests(page: Page): { method: string; url: string; body: string }[] {
  const sent: { method: string; url: string; body: string }[] = [];
  page.on('request', (request) => {
    sent.push({ method: request.method(), url: request.url(), body: request.postData() ?? '' });
  });
  return sent;
}

test('where the script does not load there is no passcode field, and nothing is posted', async ({ page, watch }) => {
  watch.expect(/\.wasm|Failed to fetch|ERR_FAILED/);
  await page.route('**/*.wasm', (route) => route.abort());
  const sent = watchRequests(page);
  await page.goto('/sign-in');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('input')).toHaveCount(0);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForLoadState();
  await expect(page.locator('input')).toHaveCount(0);
  expect(sent.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('at an unlock, neither passcode nor answers are posted before the page is taken over', async ({ page, world, watch }) => {
  watch.expect(/\.wasm|Failed to fetch|ERR_FAILED/);
  const card = await world.insertLocked('member');
  await start(page);
  await page.route('**/*.wasm', (route) => route.abort());
  const sent = watchRequests(page);
  await page.reload();
  await fillAnswers(page, () => 'an answer');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForLoadState();
  await expectStep(page, UNLOCK.questions);
  await page.unrouteAll();
  await page.reload();
  await takenOver(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);

  await page.route('**/*.wasm', (route) => route.abort());
  await page.reload();
  await expectStep(page, UNLOCK.passcode);
  await expect(page.locator('input')).toHaveCount(0);
  for (const { url } of sent) expect(decodeURIComponent(url)).not.toContain('an answer');
  const forms = sent.filter(({ method, url }) => method !== 'GET' && !url.includes('/api/'));
  expect(forms, 'no form was posted').toEqual([]);
  expect(sent.filter(({ body }) => body.includes('an answer'))).toEqual([]);
});

test('what was typed while the script loads is still there when it has loaded', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await fillAnswers(page, () => 'typed early');
  release();
  await takenOver(page);
  for (const field of await page.getByRole('group').getByRole('textbox').all()) {
    await expect(field).toHaveValue('typed early');
  }
  await answerRightly(page, card);
});

test('a page of which a part does not come says so, and goes on when it is loaded again', async ({ page, world, watch }) => {
  watch.expect(/\.wasm|Failed to fetch|ERR_FAILED/);
  const card = await world.insertLocked('member');
  await open(page, '/unlock');
  await page.route('**/pack_unlock_steps.wasm', (route) => route.abort());
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectHeading(page, 'This page did not load');
  await expect(page).toHaveURL('/unlock/questions');

  // The server makes it anew: that page stays, and leads on.
  await page.getByRole('link', { name: 'Load it again' }).click();
  await expect(page.getByRole('alert')).toContainText('This page did not load');
  await expectStep(page, UNLOCK.questions);
  await page.getByRole('link', { name: 'Help', exact: true }).click();
  await expect(page).toHaveURL('/help');
  await page.goBack();
  await expect(page.getByRole('alert')).toContainText('This page did not load');
  await page.unrouteAll();
  await page.getByRole('link', { name: 'Load it again' }).click();
  await takenOver(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);
  await expectStep(page, UNLOCK.passcode);
});
