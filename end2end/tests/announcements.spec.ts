// What is said to people who cannot see the page: by one region, once.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { pause } from '../harness/until.ts';
import { expectReader, expectStep, open } from '../steps/page.ts';
import { signIn } from '../steps/sign-in.ts';
import { UNLOCK } from '../steps/unlock.ts';

declare global {
  interface Window {
    /** What the live region said, in its order. */
    said?: string[];
  }
}

/** Longer than the region waits before it speaks, also on a machine that is busy. */
const SPOKEN = 1_500;

/** Listens; what it gives says all that was said since, these words among it, if any. */
async function listen(page: Page): Promise<(words?: string) => Promise<string[]>> {
  await page.getByRole('status').evaluate((region) => {
    const said: string[] = (window.said = []);
    new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  return async (words) => {
    if (words) await expect.poll(() => page.evaluate(() => window.said)).toContain(words);
    // Also what is said once more, or besides.
    await pause(SPOKEN);
    // It falls silent before it speaks.
    return page.evaluate(() => window.said?.splice(0).filter((words) => words !== '') ?? []);
  };
}

const count = (said: string[], words: string) => said.filter((one) => one === words).length;

test('the server sends one region, and it is empty', async ({ page }) => {
  for (const path of ['/', '/unlock', '/sign-in', '/help', '/help/reader', '/no-such-page']) {
    const html = await (await page.request.get(path)).text();
    expect(html.match(/role="status"|aria-live|<output/g), path).toEqual(['role="status"']);
    const [, inside] = /<div[^>]* role="status"[^>]*>(.*?)<\/div>/s.exec(html) ?? [];
    expect(inside?.replaceAll(/<!.*?>/g, '').trim(), path).toBe('');
  }
});

test('each change of reader and card is said once', async ({ page, world }) => {
  await open(page, '/unlock');
  const said = await listen(page);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectReader(page, 'Insert your Smartcard.');
  expect(count(await said('Insert your Smartcard.'), 'Insert your Smartcard.')).toBe(1);
  await world.insert('member');
  await expectStep(page, UNLOCK.questions);
  expect(count(await said('Smartcard found.'), 'Smartcard found.')).toBe(1);
  await world.pull();
  await expectReader(page, 'Your Smartcard was removed. Put it back.');
  expect(await said('Your Smartcard was removed. Put it back.')).toEqual(['Your Smartcard was removed. Put it back.']);
  await world.insert('member');
  await expectReader(page, 'Smartcard found.');
  expect(await said('Smartcard found.')).toEqual(['Smartcard found.']);
});

test('a page says nothing of a card that was there before', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await page.getByRole('link', { name: 'Change passcode' }).click();
  await expectReader(page, 'Smartcard found.');
  await page.goBack();
  const said = await listen(page);
  await page.getByRole('link', { name: 'Register', exact: true }).click();
  await expectReader(page, 'Smartcard found.');
  expect(await said()).toEqual([]);
});
