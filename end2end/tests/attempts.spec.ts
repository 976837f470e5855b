// Three failed attempts at the questions: then only the RA can help, whatever is tried.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, noteTakeOver, open } from '../steps/page.ts';
import { answerWrongly, start } from '../steps/unlock.ts';

const LOCKED_OUT = 'You cannot unlock this Smartcard yourself';

async function expectLockedOut(page: Page): Promise<void> {
  await expectHeading(page, LOCKED_OUT);
  await expect(page.getByRole('heading', { name: 'Contact your Registration Authority (RA)' })).toBeVisible();
  await expect(page.locator('main').getByRole('textbox')).toHaveCount(0);
}

async function startLeadsToTheRa(page: Page): Promise<void> {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectLockedOut(page);
}

test('three failed attempts leave only the RA, after a restart, in another flow and with another card', async ({
  page,
  world,
  browser,
}) => {
  const card = await world.insertLocked('member');
  await start(page);
  const summary = page.locator('.nhsuk-error-summary');
  await answerWrongly(page);
  await expect(summary).toContainText('One or more answers are not correct. You have 2 attempts left.');
  await expect(page.getByRole('group', { name: 'Your security questions' })).toContainText('You have 2 attempts left.');
  await answerWrongly(page);
  await expect(summary).toContainText('One or more answers are not correct. You have 1 attempt left.');
  await expect(page.getByText('If these are wrong, only your RA can help.')).toBeVisible();
  await expectAccessible(page, 'the last attempt');
  await answerWrongly(page);
  await expectLockedOut(page);
  await expectAccessible(page, 'locked out');
  const mail = await world.mailbox.next();
  expect(mail.subject).toBe('Smartcard Unlock is locked');
  expect(mail.to).toBe(card.registered?.email);

  await test.step('in the same flow', async () => {
    for (const path of ['/unlock/questions', '/unlock/code', '/unlock/passcode']) {
      await open(page, path);
      await expectLockedOut(page);
    }
  });
  await test.step('after a restart', async () => {
    await world.service.stop();
    await world.service.start();
    await open(page, '/unlock/questions');
    await expectLockedOut(page);
    await startLeadsToTheRa(page);
  });
  await test.step('in another browser', async () => {
    const other = await browser.newContext({ baseURL: world.service.origin });
    await other.addInitScript(noteTakeOver);
    await startLeadsToTheRa(await other.newPage());
    await other.close();
  });
  await test.step('with another card of the same person', async () => {
    await world.pull();
    await world.insert('member-2');
    await startLeadsToTheRa(page);
  });
  expect(world.mailbox.unread, 'no code was sent').toBe(0);
});

test('attempts are counted over flows and cards', async ({ page, world }) => {
  await world.insertLocked('member');
  await start(page);
  await answerWrongly(page);
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left.');
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByText('You stopped.')).toBeVisible();
  await world.pull();
  await world.insert('member-2');
  await start(page);
  await answerWrongly(page);
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 1 attempt left.');
  await page.context().clearCookies();
  await start(page);
  await answerWrongly(page);
  await expectLockedOut(page);
});

test('an answer left empty costs nothing', async ({ page, world }) => {
  await world.insertLocked('member');
  await start(page);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Enter your answer to question 1');
  await answerWrongly(page);
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left.');
});
