// Firefox where it asks before a website may reach the bridge, as later releases do for websockets too.

import type { Page } from '@playwright/test';

import { answerNow } from '../harness/own-browser.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import type { World } from '../harness/world.ts';
import { expect, test } from '../own-browser.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { allowIn, openHelper } from '../steps/helper.ts';
import { expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { DONE, UNLOCK, answerRightly, choosePasscode, enterRightCode } from '../steps/unlock.ts';

test.use({ worldOptions: { website: true }, ignoreHTTPSErrors: true });

/** What Firefox complains of: a connection that came to nothing, and the icon that the helper window does not have. */
const BRIDGE = /127\.0\.0\.1/;

/** How long the page waits for an answer to the browser's question, and a little. */
const NO_ANSWER = 121_000;

const BLOCKED = 'Your browser is blocking your reader.';

/** Presses Start: Firefox asks, and is answered, where this person answers. */
async function startAsking(page: Page, world: World): Promise<void> {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectReader(page, 'Your browser is asking you a question. Choose Allow.');
  await expect(page.getByText('The question is at the top of the window, near the address.')).toBeVisible();
  await answerNow(world);
}

test('where nobody answers the page says in the end that it is kept from the reader', async ({ page, world, watch }) => {
  watch.expect(BRIDGE);
  await world.insertLocked('member');
  await page.clock.install();
  await startAsking(page, world);
  await expectAccessible(page, 'the browser asks');
  await page.clock.fastForward(NO_ANSWER);
  await expectReader(page, BLOCKED);
  await expect(page.getByRole('button', { name: 'Open helper window' })).toBeVisible();
});

test.describe('where the person allows it', () => {
  test.use({ browserOptions: { answer: 'allow' } });

  test('an unlock goes on by itself', async ({ page, world }) => {
    await world.insertLocked('member');
    await startAsking(page, world);
    await expectStep(page, UNLOCK.questions);
  });
});

test.describe('where the person blocks it', () => {
  test.use({ browserOptions: { answer: 'block' } });

  test('the helper window is offered, and an unlock goes through that', async ({ page, world, watch }) => {
    watch.expect(BRIDGE);
    const card = await world.insertLocked('member');
    await startAsking(page, world);
    await expectReader(page, BLOCKED);
    await expect(page.getByText('Or use a helper window: it needs no permission of the browser.')).toBeVisible();
    await allowIn(await openHelper(page));
    await expectStep(page, UNLOCK.questions);
    await answerRightly(page, card);
    await enterRightCode(page, world.mailbox);
    const passcode = randomPasscode();
    await choosePasscode(page, passcode);
    await expectHeading(page, DONE);
    expect(await takesPasscode(passcode)).toBe(true);
  });
});

test.describe('where pop-ups are blocked', () => {
  test.use({ browserOptions: { answer: 'block', popUps: 'blocked' } });

  test('the page says that the helper window was stopped, and opens it when it may', async ({ page, context, world, watch }) => {
    watch.expect(BRIDGE);
    await world.insertLocked('member');
    await startAsking(page, world);
    await expectReader(page, BLOCKED);
    // The person's own click, on Start, no longer counts.
    await expect.poll(() => page.evaluate(() => navigator.userActivation.isActive)).toBe(false);
    // A script's click is none of the person's: what it opens is a pop-up.
    await page.getByRole('button', { name: 'Open helper window' }).evaluate((button: HTMLElement) => button.click());
    await expectReader(page, 'Your browser stopped the helper window.');
    await expect(page.getByText('Allow pop-ups for this website, then open it again.')).toBeVisible();
    expect(context.pages()).toHaveLength(1);

    await allowIn(await openHelper(page));
    await expectStep(page, UNLOCK.questions);
  });
});
