// Reloading in the middle of each step: one stays at the step, and nothing is spent.

import { expect, test } from '../fixtures.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectFieldError, expectHeading, expectStep, open, reload } from '../steps/page.ts';
import { REGISTER, beginRegistration, enterRegistrationCode, sendCode, setQuestions } from '../steps/register.ts';
import { signIn } from '../steps/sign-in.ts';
import { DONE, UNLOCK, answerRightly, answerWrongly, choosePasscode, enterCode, enterRightCode, start } from '../steps/unlock.ts';

test('a reload at any step of an unlock stays there and spends nothing', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  const asked = await page.getByRole('group').getByRole('textbox').count();
  const questions = await page.getByRole('group').innerText();

  await reload(page);
  await expectStep(page, UNLOCK.questions);
  expect(await page.getByRole('group').innerText(), 'the questions stay the same').toBe(questions);
  expect(await page.getByRole('group').getByRole('textbox').count()).toBe(asked);
  await answerWrongly(page);
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left.');
  await reload(page);
  await answerRightly(page, card);

  await reload(page);
  await expectStep(page, UNLOCK.code);
  await enterCode(page, 'BBBB-BBBB');
  await expectFieldError(page, 'Unlock Code', 'Unlock code is not correct. You have 4 tries left');
  await reload(page);
  await enterCode(page, 'BBBB-BBBB');
  await expectFieldError(page, 'Unlock Code', 'Unlock code is not correct. You have 3 tries left');
  await expect.poll(() => world.mailbox.mails.length, 'one code was sent').toBe(1);
  await open(page, '/unlock/questions');
  await expectStep(page, UNLOCK.code);
  await enterRightCode(page, world.mailbox);

  await reload(page);
  await expectStep(page, UNLOCK.passcode);
  await expect(page.getByText('We do not know if that finished.'), 'the card was not written').toBeHidden();
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);

  await reload(page);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
  await world.mailbox.next();
  expect(world.mailbox.unread, 'it was confirmed once').toBe(0);
});

test('a step that is done leads forward, and says so', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await page.goBack();
  await expectStep(page, UNLOCK.code);
  await expect(page.getByText('You have already done this step.')).toBeVisible();
  await expectAccessible(page, 'a step that is done already');
});

test('the start page leads back into an unlock that was begun', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await open(page, '/unlock');
  await expect(page.getByText('You have already begun to unlock a Smartcard.')).toBeVisible();
  await expectAccessible(page, 'an unlock that was begun already');
  await page.getByRole('link', { name: 'Continue' }).click();
  await expectStep(page, UNLOCK.code);
});

test('a reload at any step of a registration stays there and sends nothing', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  await reload(page);
  await expectStep(page, REGISTER.questions);
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  await reload(page);
  await expectStep(page, REGISTER.email);
  await expect(page.getByLabel('Email address')).toHaveValue(card.email);
  await sendCode(page);
  await reload(page);
  await expectStep(page, REGISTER.code);
  await expect.poll(() => world.mailbox.mails.length, 'one code was sent').toBe(1);
  await enterRegistrationCode(page, world.mailbox);
  await reload(page);
  await expectHeading(page, 'My Profile');
  await expect(page.getByText('4 questions set')).toBeVisible();
});

test('a second tab shows the same step', async ({ page, world, context }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  const second = await context.newPage();
  await second.goto('/unlock/questions');
  await expectStep(second, UNLOCK.code);
});
