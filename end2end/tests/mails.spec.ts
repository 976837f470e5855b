// Mails that do not go: the page of the code says so by itself.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectStep } from '../steps/page.ts';
import { UNLOCK, answerRightly, enterCode, start } from '../steps/unlock.ts';

test('a person whose address is refused is told, and whom to ask', async ({ page, world }) => {
  world.mailbox.refuse(550, '5.1.1 no such user');
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await expect(page.getByText('The mail server of your email address refused our email.').first()).toBeVisible();
  await expectAccessible(page, 'a refused address');
});

test('a code that is delayed says so, and works when it comes', async ({ page, world }) => {
  await world.mailbox.close();
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  const delayed = page.locator('.nhsuk-inset-text', { hasText: 'Our email is delayed' });
  await expect(delayed).toBeVisible({ timeout: 40_000 });
  await expectAccessible(page, 'a code that is delayed');
  await world.mailbox.open();
  await expect(delayed).toBeHidden({ timeout: 80_000 });
  await enterCode(page, codeIn(await world.mailbox.next()));
  await expectStep(page, UNLOCK.passcode);
  expect(world.mailbox.unread).toBe(0);
});
