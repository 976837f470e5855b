// The answer to a request is lost on its way: the request was handled, and the page does not know. Pressing again must
// not count again.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectStep } from '../steps/page.ts';
import { UNLOCK, enterCode, fillAnswers, rightAnswer, start } from '../steps/unlock.ts';

const NOT_REACHED = 'We could not reach the service. Check your network and try again.';

/** Lets the next request to a server function through, and loses its answer. */
async function loseAnswer(page: Page, name: string): Promise<void> {
  await page.route(`**/api/${name}`, async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
}

test.beforeEach(({ watch }) => {
  watch.expect(/ERR_FAILED/);
});

test('wrong answers whose outcome is lost are counted once', async ({ page, world }) => {
  await world.insertLocked('member');
  await start(page);
  await fillAnswers(page, () => 'wrong');
  await loseAnswer(page, 'unlock/answer');
  await page.getByRole('button', { name: 'Continue' }).click();
  const summary = page.locator('.nhsuk-error-summary');
  await expect(summary).toContainText(NOT_REACHED);
  await expectAccessible(page, 'an error of no field');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(summary).toContainText('You have 2 attempts left.');
  // Other answers are another attempt.
  await fillAnswers(page, () => 'wrong again');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(summary).toContainText('You have 1 attempt left.');
});

test('right answers and a right code whose outcomes are lost lead on', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await fillAnswers(page, (question) => rightAnswer(card, question));
  await loseAnswer(page, 'unlock/answer');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText(NOT_REACHED);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, UNLOCK.code);
  const code = codeIn(await world.mailbox.next());
  await loseAnswer(page, 'unlock/code');
  await enterCode(page, code);
  await expect(page.locator('.nhsuk-error-summary')).toContainText(NOT_REACHED);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, UNLOCK.passcode);
});
