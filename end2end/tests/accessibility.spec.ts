// Pages and what can be on them, against all of `steps/accessible.ts`. What is not here is looked at where another file
// gets there anyway:
//
// * bridge, reader, card and the check of the reader: reader, suspend, keypad; passcodes that are wrong: passcode-tries
// * what the browser asks or blocks, and the helper window: firefox, relay
// * the end of an unlock by itself: attempts (locked out), not-me (frozen, and the links of mails), codes (too many tries),
//   more-time (the question, and the end), stop; steps that are done already: reload; no answer: lost-answers
// * codes that are delayed or refused: mails
// * the profile and its changes: profile, recovery-codes, not-me
// * the desk: desk (find, record, act), issuing, requested (load), managers (import, reports, trail)
// * a mailbox with a mail: demonstration

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { expectAccessible, expectReadable } from '../steps/accessible.ts';
import { expectFieldError, expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { REGISTER, beginRegistration, enterRegistrationCode, sendCode, setQuestions } from '../steps/register.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import { DONE, answerRightly, answerWrongly, choosePasscode, enterCode, enterRightCode, start } from '../steps/unlock.ts';

test('pages that need no card', async ({ page, watch }) => {
  watch.expect(/404 \(Not Found\)/);
  for (const path of ['/', '/unlock', '/sign-in', '/help', '/help/reader', '/accessibility', '/no-such-page']) {
    await open(page, path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expectAccessible(page, path);
  }
});

test('pages that no script has taken over yet', async ({ page, watch }) => {
  watch.expect(/ERR_FAILED|Failed to fetch dynamically imported module/);
  await page.route(/\.(js|wasm)$/, (route) => route.abort());
  for (const path of ['/', '/unlock', '/sign-in', '/help', '/help/reader']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expectAccessible(page, path);
  }
});

test('an unlock, its errors and its troubles', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await expectAccessible(page, 'questions');
  await answerWrongly(page);
  await expect(page.locator('.nhsuk-error-summary')).toBeVisible();
  await expectAccessible(page, 'questions with an error');
  await answerRightly(page, card);
  await expectAccessible(page, 'code');
  await enterCode(page, '');
  await expectFieldError(page, 'Unlock Code', 'Enter your unlock code');
  await page.getByText('Not received an email?').click();
  await expectAccessible(page, 'code with an error and its help open');
  await enterRightCode(page, world.mailbox);
  await expectAccessible(page, 'passcode');
  await choosePasscode(page, '123');
  await expectFieldError(page, 'New passcode', 'Passcode must be 6 to 8 digits');
  await expectAccessible(page, 'passcode with an error');
  await choosePasscode(page, randomPasscode());
  await expectHeading(page, DONE);
  await expectAccessible(page, 'done');
  await world.pull();
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectReader(page, 'Insert your Smartcard.');
  await expectAccessible(page, 'a trouble in the reader panel');
});

test('dead ends, each with what to quote', async ({ page, world, watch }) => {
  watch.expect(/api\/unlock\/identify/);
  const card = await world.insert('newcomer');
  const begin = async (heading: string, reference: RegExp) => {
    await open(page, '/unlock');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expectHeading(page, heading);
    await expect(page.getByText('Quote reference')).toContainText(reference);
    await expectAccessible(page, heading);
  };
  await begin('You have not registered for Smartcard Unlock', /[B-Z]{3}-[B-Z]{3}/);
  await world.service.command('erase-person', card.userNumber, '--yes');
  await begin('We do not know this Smartcard', /LOG-[B-Z]{4}-[B-Z]{4}/);
});

test('a mail, in light and in dark', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  const mail = await world.mailbox.next();
  // Away from the service, whose policy forbids the styles of a mail.
  await page.goto('about:blank');
  await page.setContent(mail.html);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expectReadable(page, `a mail, ${colorScheme}`);
  }
});

test.describe('where nobody registers', () => {
  test.use({ worldOptions: { policy: { profile: 'code-only' } } });

  test('an unlock begins with the code', async ({ page, world }) => {
    await world.insertLocked('newcomer');
    await open(page, '/unlock');
    await expectAccessible(page, 'before it');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expectHeading(page, 'Enter your Unlock Code');
    await expectAccessible(page, 'the code');
    await enterCode(page, codeIn(await world.mailbox.next()));
    await expectHeading(page, 'Choose a new passcode');
    await expectAccessible(page, 'the passcode');
  });
});

test('signing in and registering', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/(questions|email)/);
  const card = await world.insert('newcomer');
  await open(page, '/sign-in');
  await enterPasscode(page, '', 'Sign in');
  await expectFieldError(page, 'Passcode', 'Enter your passcode');
  await expectAccessible(page, 'sign-in with an error');
  await signIn(page, card.passcode);
  await expectAccessible(page, 'profile');
  await page.getByRole('link', { name: 'Register', exact: true }).click();
  await expectStep(page, REGISTER.passcode);
  await expectAccessible(page, 'passcode');
  await page.goBack();
  await beginRegistration(page, card.passcode);
  await expectAccessible(page, 'questions');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toBeVisible();
  await expectAccessible(page, 'questions with errors');
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  await expectAccessible(page, 'email');
  await page.getByLabel('Email address').fill('nobody@example.com');
  await page.getByRole('button', { name: 'Send code' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toBeVisible();
  await expectAccessible(page, 'email with an error');
  await page.getByLabel('Email address').fill(card.email);
  await sendCode(page);
  await expectAccessible(page, 'registration code');
  await enterRegistrationCode(page, world.mailbox);
  await expectAccessible(page, 'profile after registration');
});

test.describe('a demonstration', () => {
  test.use({ worldOptions: { demonstration: true } });

  test('its strip, its mailbox, its cards', async ({ page }) => {
    for (const path of ['/', '/demo/mailbox', '/demo/cards']) {
      await open(page, path);
      await page.getByText('Cards, passcodes and answers').click();
      await expectAccessible(page, path);
    }
  });
});
