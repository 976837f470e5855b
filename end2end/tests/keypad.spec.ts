// A reader with keys: passcodes are typed on it, unless the person wants to type on the screen.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import type { IssuedCard } from '../harness/cards.ts';
import { KeypadReader, type NotEntered } from '../harness/keypad.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import type { World } from '../harness/world.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { changePasscode, expectChanged } from '../steps/profile.ts';
import { REGISTER } from '../steps/register.ts';
import { enterPasscode } from '../steps/sign-in.ts';
import { DONE, answerRightly, choosePasscode, enterRightCode, start } from '../steps/unlock.ts';

const WRONG = '36925814';
const TYPE = 'Type your passcode on your reader.';
const NOTHING_SENT = 'Nothing was sent to your Smartcard. Try again.';

/** What the page says of an entry that failed: headline, and what to do. */
const WORDS: [NotEntered, string, string][] = [
  ['timed_out', 'Nothing was typed on your reader in time.', NOTHING_SENT],
  ['cancelled', 'The entry on your reader was stopped.', NOTHING_SENT],
  ['wrong_length', 'Passcode must be 6 to 8 digits', NOTHING_SENT],
];
const WORDS_OF_NEW: typeof WORDS = [
  ...WORDS,
  [
    'differ',
    'The new passcodes that were typed on your reader do not match.',
    NOTHING_SENT,
  ],
];

const passcodeField = (page: Page) => page.getByLabel('Passcode', { exact: true });
const newPasscodeField = (page: Page) => page.getByLabel('New passcode', { exact: true });

async function press(page: Page, button: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).first().click();
}

/** To where the new passcode is chosen. */
async function goToNewPasscode(page: Page, world: World): Promise<IssuedCard> {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);
  return card;
}

test('the passcode is typed on the reader, and the page has no field for it once it knows', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  const card = await world.insert('newcomer');
  await open(page, '/sign-in');
  await press(page, 'Sign in');
  let entry = await reader.asks();
  expect(entry.verb).toBe('prove_holder');
  await expectReader(page, TYPE);
  await expect(page.getByText('Follow what the reader shows, and press its OK key after each entry.')).toBeVisible();
  await expect(page.getByText('Your reader has keys. It asks you for your passcode when it is needed.')).toBeVisible();
  await expect(passcodeField(page)).toHaveCount(0);
  await expectAccessible(page, 'while the passcode is typed');
  entry.type(card.passcode);
  await expect(page).toHaveURL('/profile');

  await page.getByRole('link', { name: 'Register', exact: true }).click();
  await expectStep(page, REGISTER.passcode);
  await expect(passcodeField(page)).toHaveCount(0);
  await press(page, 'Continue');
  entry = await reader.asks();
  entry.type(card.passcode);
  await expectStep(page, REGISTER.questions);
});

test('an entry at sign-in that fails is told, and costs no try', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  const card = await world.insert('member');
  await open(page, '/sign-in');
  await press(page, 'Sign in');
  for (const [reason, headline, help] of WORDS) {
    const entry = await reader.asks();
    await expectReader(page, TYPE);
    entry.fail(reason);
    await expectReader(page, headline);
    await expect(page.getByText(help)).toBeVisible();
    await expect(page.getByText('not correct')).toHaveCount(0);
    await press(page, 'Try again');
  }
  (await reader.asks()).type(WRONG);
  const summary = page.locator('.nhsuk-error-summary');
  await expect(summary).toContainText('Your passcode is not correct. You have 2 tries left');
  await expect(summary).toBeFocused();
  await press(page, 'Sign in');
  (await reader.asks()).type(card.passcode);
  await expect(page).toHaveURL('/profile');
});

test('the new passcode is typed on the reader', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  await goToNewPasscode(page, world);
  await expect(page.getByText('Your reader has keys. It asks you for a new passcode of 6 to 8 digits')).toBeVisible();
  await expect(newPasscodeField(page)).toHaveCount(0);
  await expectAccessible(page, 'before the new passcode is typed');
  await press(page, 'Unlock my Smartcard');
  const entry = await reader.asks();
  expect(entry.verb).toBe('reset_passcode');
  await expectReader(page, TYPE);
  const passcode = randomPasscode();
  entry.type(passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

test('an entry of a new passcode that fails is told, and sends the card nothing', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  await goToNewPasscode(page, world);
  await press(page, 'Unlock my Smartcard');
  for (const [reason, headline, help] of WORDS_OF_NEW) {
    (await reader.asks()).fail(reason);
    await expectReader(page, headline);
    await expect(page.getByText(help)).toBeVisible();
    await press(page, 'Try again');
  }
  await expect(page.getByText('We do not know if that finished.')).toHaveCount(0);
  // The last entry only proves what is set already.
  (await reader.asks()).fail('timed_out', 'not_confirmed');
  await expect(page.getByText('Your Smartcard may have the new passcode already.')).toBeVisible();
  await expect(page.getByText('We do not know if that finished.')).toBeVisible();
  await press(page, 'Try again');
  const passcode = randomPasscode();
  (await reader.asks()).type(passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
  const resets = (await world.reader.executed()).filter(({ instruction }) => instruction.toUpperCase() === '2C');
  // The service offers first the key that the release before did not: the entry that was not confirmed may have set it.
  expect(resets.map(({ status }) => status)).toEqual(['63C2', '9000']);
});

test('whoever wants to signs in by the screen', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  const card = await world.insert('member');
  await open(page, '/sign-in');
  await press(page, 'Sign in');
  (await reader.asks()).fail('cancelled');
  await expectReader(page, 'The entry on your reader was stopped.');
  await press(page, 'Type it on the screen instead');
  await enterPasscode(page, card.passcode, 'Sign in');
  await expect(page).toHaveURL('/profile');
});

test('whoever wants to chooses a new passcode on the screen', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  await goToNewPasscode(page, world);
  await press(page, 'Unlock my Smartcard');
  (await reader.asks()).fail('no_keypad');
  await expectReader(page, 'This reader does not take a passcode on its keys.');
  await press(page, 'Type it on the screen instead');
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

test('where the keys take no new passcode it is chosen on the screen', async ({ page, world }) => {
  await KeypadReader.between(page, world.bridge, 'current');
  await goToNewPasscode(page, world);
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

test('a passcode is changed on the screen also where the reader has keys', async ({ page, world }) => {
  const reader = await KeypadReader.between(page, world.bridge);
  const card = await world.insert('member');
  await open(page, '/sign-in');
  await press(page, 'Sign in');
  (await reader.asks()).type(card.passcode);
  await page.getByRole('link', { name: 'Change passcode' }).click();
  await expect(page.getByText('The keys of your reader are not used for this.')).toBeVisible();
  const passcode = randomPasscode();
  await changePasscode(page, card.passcode, passcode);
  await expectChanged(page, 'Your passcode was changed.');
  await world.mailbox.next();
  expect(await takesPasscode(passcode)).toBe(true);
});
