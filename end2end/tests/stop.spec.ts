// Stop: at each step, and what it leaves.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers } from '../harness/people.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectFieldError, expectHeading, expectStep } from '../steps/page.ts';
import { beginRegistration, sendCode, setQuestions } from '../steps/register.ts';
import { signIn } from '../steps/sign-in.ts';
import { UNLOCK, answerRightly, enterCode, start } from '../steps/unlock.ts';

const STOPPED = 'You stopped. Your Smartcard has not been changed.';

test('an unlock can be stopped at each step, and then nothing of it is left', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  const ways = [
    () => start(page),
    async () => {
      await start(page);
      await answerRightly(page, card);
    },
    async () => {
      await start(page);
      await answerRightly(page, card);
      await world.mailbox.next();
      await page.reload();
    },
  ];
  for (const goThere of ways) {
    await goThere();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect(page).toHaveURL('/unlock?stopped');
    await expect(page.getByText(STOPPED)).toBeVisible();
    for (const path of ['/unlock/questions', '/unlock/code', '/unlock/passcode']) {
      await page.goto(path);
      await expect(page).toHaveURL(/\/unlock(\?\w+)?$/);
    }
  }
});

test('an unlock can be stopped where the passcode is chosen, and its code is worth nothing then', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  const code = codeIn(await world.mailbox.next());
  await enterCode(page, code);
  await expectStep(page, UNLOCK.passcode);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByText(STOPPED)).toBeVisible();
  await expectAccessible(page, 'an unlock that was stopped');
  await start(page);
  await answerRightly(page, card);
  await enterCode(page, code);
  await expectFieldError(page, 'Unlock Code', 'Unlock code is not correct. You have 4 tries left');
});

test('a registration can be stopped, and then nothing has changed', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  await sendCode(page);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page).toHaveURL('/profile?stopped');
  await expectAccessible(page, 'a registration that was stopped');
  await expect(page.getByText('You stopped. Nothing has changed.')).toBeVisible();
  await expectHeading(page, 'My Profile');
  await expect(page.getByText('Not registered')).toBeVisible();
});
