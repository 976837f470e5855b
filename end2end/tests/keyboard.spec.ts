// By the keyboard alone: a whole unlock, a registration, and what the focus does.

import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { toTheDesk } from '../steps/desk.ts';
import { follow, paste, press, tab, tabThrough, tabTo, type } from '../steps/keyboard.ts';
import { type Step, expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { REGISTER } from '../steps/register.ts';
import { DONE, UNLOCK, rightAnswer } from '../steps/unlock.ts';

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
});

/** What a browser may fill in, and which keys a telephone shows. */
const PASSCODE = { type: 'password', inputmode: 'numeric', autocomplete: 'current-password' };
const NEW_PASSCODE = { ...PASSCODE, autocomplete: 'new-password' };
const ANSWER = { type: 'text', autocomplete: 'off' };
const CODE = { type: 'text', autocomplete: 'one-time-code', autocapitalize: 'characters' };
const EMAIL = { type: 'email', inputmode: 'email', autocomplete: 'email' };

async function expectField(field: Locator, attributes: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(attributes)) await expect(field).toHaveAttribute(name, value);
}

async function expectNewStep(page: Page, step: Step): Promise<void> {
  await expectStep(page, step);
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
}

/** From the error summary, which has the focus, by its first link to the field. */
async function goToTheError(page: Page, sentence: string, field: Locator): Promise<void> {
  await expect(page.locator('.nhsuk-error-summary')).toBeFocused();
  await tab(page);
  await expect(page.getByRole('link', { name: sentence })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(field).toBeFocused();
}

test('the first stop skips to what the page is about', async ({ page }) => {
  await open(page, '/unlock');
  await tab(page);
  const skip = page.getByRole('link', { name: 'Skip to main content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  await tab(page);
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeFocused();
});

test('a card is unlocked', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await open(page, '/unlock');
  await press(page, 'Start');

  await expectNewStep(page, UNLOCK.questions);
  const answers = page.getByRole('group', { name: 'Your security questions' }).getByRole('textbox');
  await press(page, 'Continue');
  await goToTheError(page, 'Enter your answer to question 1', answers.first());
  for (const field of await answers.all()) {
    await expectField(field, ANSWER);
    const label = await field.evaluate((input: HTMLInputElement) => input.labels?.[0]?.textContent ?? '');
    await paste(page, field, rightAnswer(card, label.trim()));
  }
  await page.keyboard.press('Enter');

  await expectNewStep(page, UNLOCK.code);
  const help = page.locator('summary', { hasText: 'Not received an email?' });
  await tabTo(page, help);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Send a new code' })).toBeVisible();
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Send a new code' })).toBeHidden();
  const code = page.getByLabel('Unlock Code');
  await expectField(code, CODE);
  await tabTo(page, code, 'Shift+Tab');
  await paste(page, code, codeIn(await world.mailbox.next()));
  await page.keyboard.press('Enter');

  await expectNewStep(page, UNLOCK.passcode);
  const passcode = randomPasscode();
  const fields = [page.getByLabel('New passcode', { exact: true }), page.getByLabel('Enter your new passcode again')];
  for (const field of fields) {
    await expectField(field, NEW_PASSCODE);
    await paste(page, field, passcode);
    await tab(page);
    await page.keyboard.press('Space');
    await expect(field).toHaveAttribute('type', 'text');
    await expect(page.getByRole('status')).toHaveText('Your passcode is visible');
    await expect(page.locator(':focus')).toHaveAccessibleName('Hide passcode');
    await page.keyboard.press('Enter');
    await expect(field).toHaveAttribute('type', 'password');
    await expect(page.getByRole('status')).toHaveText('Your passcode is hidden');
  }
  await press(page, 'Unlock my Smartcard');
  await expectHeading(page, DONE);
  await expect(page.locator('.nhsuk-panel').getByRole('heading', { name: DONE })).toBeFocused();
  expect(await takesPasscode(passcode)).toBe(true);
});

test('a newcomer signs in and registers', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/(questions|email|code)/);
  const card = await world.insert('newcomer');
  await open(page, '/sign-in');
  const passcode = page.getByLabel('Passcode', { exact: true });
  await press(page, 'Sign in');
  await goToTheError(page, 'Enter your passcode', passcode);
  await expectField(passcode, PASSCODE);
  await paste(page, passcode, card.passcode);
  await page.keyboard.press('Enter');
  await expectHeading(page, 'My Profile');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();

  await follow(page, 'Register');
  await expectNewStep(page, REGISTER.passcode);
  await type(page, passcode, card.passcode);
  await page.keyboard.press('Enter');

  await expectNewStep(page, REGISTER.questions);
  await press(page, 'Continue');
  await goToTheError(page, 'Select your first security question', page.getByLabel('Question', { exact: true }).first());
  for (const [at, { answer }] of randomAnswers([1, 2, 3, 4]).entries()) {
    await tabTo(page, page.getByLabel('Question', { exact: true }).nth(at));
    for (let presses = 0; presses <= at; presses += 1) await page.keyboard.press('ArrowDown');
    const field = page.getByLabel('Your answer').nth(at);
    await expectField(field, ANSWER);
    await type(page, field, answer);
  }
  await press(page, 'Continue');

  await expectNewStep(page, REGISTER.email);
  const email = page.getByLabel('Email address');
  await expectField(email, EMAIL);
  await tabTo(page, email);
  await page.keyboard.press('ControlOrMeta+A');
  await paste(page, email, 'nell at nhs.net');
  await page.keyboard.press('Enter');
  await goToTheError(page, 'Enter an email address in the correct format', email);
  await page.keyboard.press('ControlOrMeta+A');
  await paste(page, email, card.email);
  await press(page, 'Send code');

  await expectNewStep(page, REGISTER.code);
  const code = page.getByLabel('Registration Code');
  await expectField(code, CODE);
  await type(page, code, codeIn(await world.mailbox.next()));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Self Service Registration is complete.');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('one card of several is chosen, and the focus does not go with the button that was pressed', async ({ page, world }) => {
  await world.secondReader.insert('newcomer');
  await world.reader.insert('member');
  await world.bridge.sees(2);
  await open(page, '/unlock');
  await press(page, 'Start');
  await expectReader(page, 'There is more than one Smartcard. Choose yours.');
  await press(page, 'Try again');
  const several = page.getByRole('heading', { name: 'There is more than one Smartcard. Choose yours.' });
  await expect(several).toBeFocused();
  const member = page.getByRole('radio', { name: /^Morgan Member, in / });
  await tab(page);
  await expect(page.getByRole('radio').first()).toBeFocused();
  await page.keyboard.press('Space');
  if (!(await member.isChecked())) await page.keyboard.press('ArrowDown');
  await expect(member).toBeChecked();
  await press(page, 'Try again');
  await expectNewStep(page, UNLOCK.questions);
});

for (const forcedColors of ['none', 'active'] as const) {
  test(`the focus shows at every stop, with forced colours: ${forcedColors}`, async ({ page, world }) => {
    await toTheDesk(page, world, 'ra-manager');
    await page.emulateMedia({ forcedColors });
    for (const path of ['/', '/unlock', '/help', '/profile', '/ra?q=Morgan', '/ra/reports', '/ra/trail', '/ra/import']) {
      await open(page, path);
      await tabThrough(page);
    }
  });
}
