// "Do you need more time?": asked two minutes before an idle unlock or session ends.

import { expect, test } from '../fixtures.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectStep, open } from '../steps/page.ts';
import { signIn } from '../steps/sign-in.ts';
import { UNLOCK, fillAnswers, start } from '../steps/unlock.ts';

const QUESTION = 'Do you need more time?';
const A_MINUTE = 60_000;

test.describe('a session of two minutes', () => {
  test.use({ worldOptions: { policy: { session_idle_minutes: 2 } } });

  test('whoever is signed in is asked, and goes on or signs out', async ({ page, world }) => {
    const card = await world.insert('newcomer');
    await page.clock.install();
    await signIn(page, card.passcode);
    const question = page.getByRole('dialog', { name: QUESTION });
    await expect(question).toBeHidden();
    await page.clock.fastForward(A_MINUTE);
    await expect(question).toBeVisible();
    const extended = page.waitForResponse('**/api/session/extend');
    await question.getByRole('button', { name: 'Continue' }).click();
    expect((await extended).ok()).toBe(true);
    await expect(question).toBeHidden();

    await page.clock.fastForward(2 * A_MINUTE);
    await expect(question).toBeVisible();
    await question.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByText('You have signed out.')).toBeVisible();
  });
});

test('an unlock that nobody goes on with is asked about, and what was typed stays', async ({ page, world, context }) => {
  await world.insertLocked('member');
  await page.clock.install();
  await start(page);
  await fillAnswers(page, () => 'half typed');
  await page.route('**/api/unlock/time-left', (route) => route.fulfill({ json: 100 }), { times: 1 });
  await page.clock.fastForward(A_MINUTE);
  const question = page.getByRole('dialog', { name: QUESTION });
  await expect(question).toBeVisible();
  await expectAccessible(page, 'the question');
  const extended = page.waitForResponse('**/api/unlock/extend');
  await page.keyboard.press('Escape');
  expect((await extended).ok()).toBe(true);
  await expect(question).toBeHidden();
  await expect(page.getByRole('textbox').first()).toHaveValue('half typed');
  await expectStep(page, UNLOCK.questions);

  // In another tab the unlock is stopped: this one finds out.
  const other = await context.newPage();
  await open(other, '/unlock/questions');
  await other.getByRole('button', { name: 'Stop' }).click();
  await expect(other.getByText('You stopped.')).toBeVisible();
  await page.clock.fastForward(2 * A_MINUTE);
  await expect(page.getByText('Your time is over. Start again.')).toBeVisible();
  await expectAccessible(page, 'the time is over');
});
