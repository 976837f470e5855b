// Bridge, reader and card: what the page says of each trouble, and that it goes on once that is mended.

import { type Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { CardBridge } from '../harness/bridge.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
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
  await expectAccessible(page, 'no bridge');
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
  await expectAccessible(page, 'no reader');
});

test('without a card the page says so, and goes on by itself once there is one', async ({ page, world }) => {
  await pressStart(page);
  await expectReader(page, 'Insert your Smartcard.');
  await world.insert('member');
  await expectStep(page, UNLOCK.questions);
});

test('a card that leaves and comes back is told as it happens', async ({ page, world }) => {
  await world.insertLocked('member');
  await start(page);
  await expectReader(page, 'Smartcard found.');
  await world.pull();
  await expectReader(page, 'Your Smartcard was removed. Put it back.');
  await expectAccessible(page, 'a card that has left');
  await world.insert('member');
  await expectReader(page, 'Smartcard found.');
  await expectAccessible(page, 'a card that is back');
  await expect(page.getByRole('status').filter({ hasText: 'Smartcard found.' })).toHaveCount(1);
});

test('a bridge that does not list this website says so', async ({ page, world }) => {
  await world.bridge.stop();
  const other = new CardBridge({ ...world.bridge.options, origin: 'https://other.test' });
  await other.start();
  await pressStart(page);
  await expectReader(page, 'Card Bridge does not trust this website.');
  await expectAccessible(page, 'a website that is not trusted');
  await other.stop();
});

test('between two cards the person chooses', async ({ page, world }) => {
  await world.secondReader.insert('newcomer');
  await world.reader.insert('member');
  await world.bridge.sees(2);
  await pressStart(page);
  await expectReader(page, 'There is more than one Smartcard. Choose yours.');
  await expectAccessible(page, 'several cards');
  await page.getByRole('radio', { name: /^Morgan Member, in / }).check();
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
  await expectReader(page, 'Smartcard found.');
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
  // What was typed is sent only when the person says so.
  await expectReader(page, 'Smartcard found.');
  await expect(page.locator('.nhsuk-error-summary')).toHaveCount(0);
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

/** The stages of «Check your reader», in their order. */
const STAGES = [
  'Browser',
  'Card Bridge',
  'This website',
  'Smartcard service',
  'Reader',
  'Smartcard',
  'Card application',
  'Keys and passcode',
];

/** Reads how each stage stands. */
async function stages(page: Page): Promise<string[]> {
  const tags = page.locator('.nhsuk-task-list__item .nhsuk-tag');
  await expect(tags).toHaveCount(STAGES.length);
  return tags.allInnerTexts();
}

async function checkReader(page: Page): Promise<void> {
  await open(page, '/help/reader');
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByRole('button', { name: 'Copy report' })).toBeVisible();
}

test('«Check your reader» walks all stages, and its report tells nobody whose card it is', async ({ page, world }) => {
  const card = await world.insert('member');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await checkReader(page);
  expect(await stages(page)).toEqual(STAGES.map(() => 'Works'));
  await page.getByRole('button', { name: 'Copy report' }).click();
  await expect(page.getByText('The report was copied.')).toBeVisible();
  await page.getByText('Report for whoever helps you').click();
  await expectAccessible(page, 'all works');
  const report = await page.evaluate(() => navigator.clipboard.readText());
  for (const stage of STAGES) expect(report).toContain(`\n${stage}: Works`);
  expect(report).toContain(world.service.origin);
  expect(report).toMatch(/Version \d+\.\d+\.\d+ at port \d+/);
  expect(report).toContain('3 passcode tries left');
  for (const secret of [card.guid, card.name, card.passcode, card.email]) {
    expect(report.toLowerCase()).not.toContain(secret.toLowerCase());
  }
});

test('«Check your reader» says where it ends, what to do, and goes on by itself', async ({ page, world, watch }) => {
  watch.expect(NO_CONNECTION);
  await checkReader(page);
  const upTo = (works: number) => [
    ...STAGES.slice(0, works).map(() => 'Works'),
    'Does not work',
    ...STAGES.slice(works + 1).map(() => 'Not checked'),
  ];
  expect(await stages(page)).toEqual(upTo(5));
  await expect(page.locator('.nhsuk-task-list')).toContainText('Push it in chip first until it stops.');
  await expectAccessible(page, 'something does not work');
  await world.reader.lock('member');
  await world.insert('member');
  await expect.poll(() => stages(page)).toEqual(upTo(7));
  await expect(page.locator('.nhsuk-task-list')).toContainText('Your Smartcard is locked.');
  await world.bridge.stop();
  await page.reload();
  await checkReader(page);
  expect(await stages(page)).toEqual(upTo(1));
  await expect(page.locator('.nhsuk-task-list')).toContainText('Card Bridge is not running.');
});
