// The main pages and steps as pictures, on a desktop and on a phone: a page that looks otherwise than its picture fails. The
// READMEs show them. `npx playwright test pictures --project=sqlite --update-snapshots` takes them anew; then look at them.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { openRecord, toTheDesk } from '../steps/desk.ts';
import { expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { REGISTER, beginRegistration, enterRegistrationCode, fillQuestions, sendCode } from '../steps/register.ts';
import { signIn } from '../steps/sign-in.ts';
import {
  DONE,
  answerRightly,
  answerWrongly,
  choosePasscode,
  enterRightCode,
  fillNewPasscode,
  start,
} from '../steps/unlock.ts';

const ANSWERS = [
  { question: 4, answer: 'Elm Row' },
  { question: 9, answer: 'green teapot' },
  { question: 13, answer: 'Rose Hill' },
  { question: 17, answer: 'Heidi' },
];

const SIZES = { desktop: { width: 1000, height: 700 }, phone: { width: 390, height: 700 } };

/** Puts what is another each time into what is always the same: times, numbers of cards, references, the order of questions. */
function steady(): void {
  const asked = [...document.querySelectorAll('fieldset .nhsuk-form-group')].filter((group) => group.querySelector('label'));
  asked.sort((a, b) => (a.textContent ?? '').localeCompare(b.textContent ?? ''));
  if (location.pathname === '/unlock/questions') for (const group of asked) group.parentElement?.append(group);
  for (const time of document.querySelectorAll('time')) {
    const text = time.textContent ?? '';
    time.textContent = text.includes(':') ? (text.includes(',') ? '14 March 2026, 3:14am' : '3:14am') : '14 March 2026';
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    node.data = node.data
      .replace(/\b[0-9A-Fa-f]{32}\b/g, '00112233445566778899AABBCCDDEEFF')
      .replace(/\b[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b/g, '00112233-4455-6677-8899-aabbccddeeff')
      .replace(/\b[A-Z]{3}-[A-Z]{3}\b/g, 'KTR-WMG');
  }
}

/** Compares the page with its pictures. */
async function picture(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    // Away from what was pressed: a link below it would look as if it were to be followed.
    await page.mouse.move(0, 0);
    await page.evaluate(steady);
    await expect.soft(page).toHaveScreenshot(`${name}-${size}.png`, { fullPage: true });
  }
}

test.describe('all questions asked', () => {
  // Which of them are asked would be another each time.
  test.use({ worldOptions: { policy: { questions_asked: 4 } } });

  test('an unlock', async ({ page, world }) => {
    const card = await world.insertLocked('member');
    await open(page, '/unlock');
    await picture(page, 'unlock');
    await start(page);
    await picture(page, 'unlock-questions');
    await answerWrongly(page);
    await expect(page.locator('.nhsuk-error-summary')).toBeVisible();
    await picture(page, 'unlock-questions-wrong');
    await answerRightly(page, card);
    await page.getByText('Not received an email?').click();
    await picture(page, 'unlock-code');
    await enterRightCode(page, world.mailbox);
    await fillNewPasscode(page, '739152');
    await picture(page, 'unlock-passcode');
    await choosePasscode(page, '739152');
    await expectHeading(page, DONE);
    await picture(page, 'unlock-done');
  });
});

test('a registration', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await open(page, '/sign-in');
  await picture(page, 'sign-in');
  await signIn(page, card.passcode);
  await picture(page, 'profile-not-registered');
  await page.getByRole('link', { name: 'Register', exact: true }).click();
  await expectStep(page, REGISTER.passcode);
  await picture(page, 'register-passcode');
  await page.goBack();
  await beginRegistration(page, card.passcode);
  await fillQuestions(page, ANSWERS);
  await picture(page, 'register-questions');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, REGISTER.email);
  await picture(page, 'register-email');
  await sendCode(page);
  await picture(page, 'register-code');
  await enterRegistrationCode(page, world.mailbox);
  await picture(page, 'profile-registered');
});

test('what stops an unlock', async ({ page, world }) => {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectReader(page, 'Insert your Smartcard.');
  await picture(page, 'reader-no-card');
  // The page goes on by itself.
  await world.insert('newcomer');
  await expectHeading(page, 'You have not registered for Smartcard Unlock');
  await picture(page, 'dead-end');
});

test('pages to read', async ({ page }) => {
  for (const [name, path] of [['home', '/'], ['help', '/help'], ['accessibility', '/accessibility']] as const) {
    await open(page, path);
    await picture(page, name);
  }
});

test("the RA's desk", async ({ page, world }) => {
  await toTheDesk(page, world);
  await picture(page, 'desk-find');
  await openRecord(page, 'Morgan', 'Morgan Member');
  await picture(page, 'desk-record');
});
