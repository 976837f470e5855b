// Wrong passcodes at sign-in: the card counts, the page says how many are left, and the last is not spent unasked.

import { expect, test } from '../fixtures.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectFieldError, expectReader, open } from '../steps/page.ts';
import { enterPasscode } from '../steps/sign-in.ts';

const WRONG = '36925814';

test('three wrong passcodes lock the card, the last only after a second consent', async ({ page, world }) => {
  const card = await world.insert('member');
  await open(page, '/sign-in');
  await enterPasscode(page, WRONG, 'Sign in');
  await expectFieldError(page, 'Passcode', 'Your passcode is not correct. You have 2 tries left');
  await expect(page.getByLabel('Passcode', { exact: true }), 'a passcode never stays').toHaveValue('');
  await enterPasscode(page, WRONG, 'Sign in');
  await expectFieldError(page, 'Passcode', 'Your passcode is not correct. You have 1 try left');

  await enterPasscode(page, WRONG, 'Sign in');
  await expectReader(page, '1 try left before your Smartcard locks.');
  await expect(page.getByRole('link', { name: 'Unlock instead' })).toBeVisible();
  await expectAccessible(page, 'the last try');
  await page.getByRole('button', { name: 'Use my last try' }).click();
  await expectReader(page, 'Your Smartcard is locked.');
  await expectAccessible(page, 'a locked card');
  expect(await takesPasscode(card.passcode), 'the card takes its passcode').toBe(false);
  await page.getByRole('link', { name: 'Unlock it' }).click();
  await expect(page).toHaveURL('/unlock');
});

test('the last try is kept: the right passcode works after the second consent', async ({ page, world }) => {
  const card = await world.insert('member');
  await open(page, '/sign-in');
  await enterPasscode(page, WRONG, 'Sign in');
  await expectFieldError(page, 'Passcode', 'Your passcode is not correct. You have 2 tries left');
  await enterPasscode(page, WRONG, 'Sign in');
  await expectFieldError(page, 'Passcode', 'Your passcode is not correct. You have 1 try left');
  await enterPasscode(page, card.passcode, 'Sign in');
  await page.getByRole('button', { name: 'Use my last try' }).click();
  await expect(page).toHaveURL('/profile');
});
