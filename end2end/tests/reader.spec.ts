// Bridge, reader and card: what the page says of each trouble, and that it goes on once that is mended.

import { type Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { CardBridge } from '../harness/bridge.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { enterPasscode } from '../steps/sign-in.ts';
import {
  DONE,
  UNLOCK,
  answerRightly,
  choosePasscode,
  enterRightCode,
  fillAnswers,
  fillNewPasscode,
  start,
} from '../steps/unlock.ts';

const NO_CONNECTION = /WebSocket connection to .* failed/;

async function pressStart(page: Page): Promise<void> {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
}

async function tryAgain(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try again' }).click();
}

test('before anything is tried the page says what the browser may ask', async ({ page }) => {
  await page.goto('/unlock');
  await expect(page.getByText('When you press Start, your browser may ask')).toBeVisible();
});

test('without a running bridge the page says so, and goes on once it runs', async ({ page, world, watch }) => {
  watch.expect(NO_CONNECTION);
  await world.insertLocked('member');
  await world.bridge.stop();
  await pressStart(page);
  await expectReader(page, 'Card Bridge is not running.');
  await expect(page.getByRole('link', { name: 'Check your reader' })).toBeVisible();
  await world.bridge.start();
  await world.bridge.sees(1);
  await tryAgain(page);
  await expectStep(page, UNLOCK.questions);
});

test('a bridge that is restarted in the middle is found again', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await world.bridge.kill();
  await world.bridge.start();
  await world.bridge.sees(1);
  await answerRightly(page, card);
});

test('without a smartcard service the page says so, and goes on once there is one', async ({ page, world }) => {
  await world.insertLocked('member');
  await world.bridge.stop();
  await world.bridge.start('stopped');
  await pressStart(page);
  await expectReader(page, "This computer's Smartcard service has stopped.");
  await world.bridge.stop();
  await world.bridge.start();
  await world.bridge.sees(1);
  await tryAgain(page);
  await expectStep(page, UNLOCK.questions);
});

test('without a reader the page says so', async ({ page, world }) => {
  await world.bridge.stop();
  await world.bridge.start('without reader');
  await pressStart(page);
  await expectReader(page, 'Connect your reader.');
});

test('without a card the page says so, and goes on once there is one', async ({ page, world }) => {
  await pressStart(page);
  await expectReader(page, 'Insert your Smartcard.');
  await world.insert('member');
  await tryAgain(page);
  await expectStep(page, UNLOCK.questions);
});

test('a bridge that does not list this website says so', async ({ page, world }) => {
  await world.bridge.stop();
  const other = new CardBridge({ ...world.bridge.options, origin: 'https://other.test' });
  await other.start();
  await pressStart(page);
  await expectReader(page, 'Card Bridge does not trust this website.');
  await other.stop();
});

test('between two cards the person chooses', async ({ page, world }) => {
  await world.secondReader.insert('newcomer');
  await world.reader.insert('member');
  await world.bridge.sees(2);
  await pressStart(page);
  await expectReader(page, 'There is more than one Smartcard. Choose yours.');
  await page.getByRole('radio', { name: /00 00/ }).check();
  await tryAgain(page);
  await expectStep(page, UNLOCK.questions);
});

test('a card that is pulled at sign-in is never called a wrong passcode', async ({ page, world }) => {
  const card = await world.insert('member', { fault: 'pull', when: 'before', instruction: '20', nth: 2 });
  await open(page, '/sign-in');
  await enterPasscode(page, card.passcode, 'Sign in');
  await expectReader(page, 'Your Smartcard was removed. Put it back.');
  await expect(page.getByText('not correct')).toHaveCount(0);
  await world.insert('member');
  await tryAgain(page);
  await expect(page).toHaveURL('/profile');
});

test('a card that is pulled before an answer costs no attempt', async ({ page, world }) => {
  await world.insertLocked('member');
  await start(page);
  await world.pull();
  await fillAnswers(page, () => 'wrong');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectReader(page, 'Insert your Smartcard.');
  await world.insert('member');
  await tryAgain(page);
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left.');
});

test('another card in the middle of an unlock is refused, and the first one goes on', async ({ page, world, watch }) => {
  watch.expect(/api\/unlock\/answer/);
  const card = await world.insertLocked('member');
  await start(page);
  await world.pull();
  await world.insert('member-2');
  await fillAnswers(page, () => 'whatever');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('it is not the one you began with');
  await world.pull();
  await world.insert('member');
  await answerRightly(page, card);
});

for (const when of ['before', 'after'] as const) {
  for (const [instruction, name] of [
    ['2C', 'the passcode is set'],
    ['24', 'the unlock key is replaced'],
  ] as const) {
    test(`a card that is pulled just ${when} ${name} is unlocked at the next try`, async ({ page, world }) => {
      const card = await world.insertLocked('member');
      await start(page);
      await answerRightly(page, card);
      await enterRightCode(page, world.mailbox);
      await world.pull();
      await world.insert('member', { fault: 'pull', when, instruction });
      await choosePasscode(page, randomPasscode());
      await expectReader(page, 'Your Smartcard was removed. Put it back.');
      await expect(page.getByText('We do not know if that finished. Your Smartcard is safe.')).toBeVisible();
      await world.reader.isPulled();
      await world.insert('member');
      const passcode = randomPasscode();
      await choosePasscode(page, passcode);
      await expectHeading(page, DONE);
      expect(await takesPasscode(passcode)).toBe(true);
    });
  }
}

test('a service that stops before it hears of the outcome hears of it when it is back', async ({ page, world, watch }) => {
  watch.expect(/api\/unlock\/complete|ERR_CONNECTION_REFUSED|ERR_FAILED/);
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);
  await page.route('**/api/unlock/complete', async (route) => {
    await world.service.kill();
    await route.abort();
    await page.unrouteAll();
    await world.service.start();
  });
  const passcode = randomPasscode();
  await fillNewPasscode(page, passcode);
  await page.getByRole('button', { name: 'Unlock my Smartcard' }).click();
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

test('«Check your reader» says what works', async ({ page, world }) => {
  await world.insert('member');
  await open(page, '/help/reader');
  await page.getByRole('button', { name: 'Check now' }).click();
  for (const part of ['Card Bridge', 'Smartcard service', 'Reader', 'Smartcard']) {
    const item = page.getByRole('listitem').filter({ hasText: new RegExp(`^\\s*${part}`) }).last();
    await expect(item).toContainText('Works');
  }
});
