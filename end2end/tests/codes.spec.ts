// Unlock codes: expired, wrong, used up, sent again.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { pause } from '../harness/until.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectFieldError, expectStep } from '../steps/page.ts';
import { UNLOCK, answerRightly, enterCode, start } from '../steps/unlock.ts';

test.describe('a code that lives a minute', () => {
  test.use({ worldOptions: { policy: { code_minutes: 1 } } });

  test('has expired after it, and a new one is sent', async ({ page, world }) => {
    const card = await world.insertLocked('member');
    await start(page);
    await answerRightly(page, card);
    const expired = codeIn(await world.mailbox.next());
    await pause(61_000);
    await enterCode(page, expired);
    await expectFieldError(page, 'Unlock Code', 'Your unlock code has expired. We have sent a new one');
    const fresh = codeIn(await world.mailbox.next());
    expect(fresh).not.toBe(expired);
    await enterCode(page, fresh);
    await expectStep(page, UNLOCK.passcode);
  });
});

test('a wrong code costs one of five tries, and the fifth ends the unlock', async ({ page, world, watch }) => {
  // What is no code is told by an error of the server function.
  watch.expect(/api\/unlock\/code/);
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  for (const [typed, sentence] of [
    ['', 'Enter your unlock code'],
    ['KTRW-MGB', 'Unlock code must be 8 letters'],
    ['KTRW-MGB4', 'Unlock code must be 8 letters'],
  ] as const) {
    await enterCode(page, typed);
    await expectFieldError(page, 'Unlock Code', sentence);
  }
  for (const left of ['4 tries', '3 tries', '2 tries', '1 try']) {
    await enterCode(page, 'BBBB-BBBB');
    await expectFieldError(page, 'Unlock Code', `Unlock code is not correct. You have ${left} left`);
  }
  await enterCode(page, 'BBBB-BBBB');
  await expect(page).toHaveURL('/unlock?tries');
  await expect(page.getByText('You entered a wrong code too many times.')).toBeVisible();
  await expectAccessible(page, 'too many wrong codes');

  const old = codeIn(await world.mailbox.next());
  await start(page);
  await answerRightly(page, card);
  await enterCode(page, old);
  await expectFieldError(page, 'Unlock Code', 'Unlock code is not correct. You have 4 tries left');
});

test('a new code may be asked for after a minute, not before', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await page.getByText('Not received an email?').click();
  await page.getByRole('button', { name: 'Send a new code' }).click();
  await expect(page.getByText(/You can ask for a new code in \d+ seconds\./).first()).toBeVisible();
  await expectAccessible(page, 'no new code yet');
  await expect.poll(() => world.mailbox.mails.length).toBe(1);
});

test.describe('where no minute has to pass', () => {
  test.use({ worldOptions: { policy: { resend_seconds: 0 } } });

  test('a new code is sent, and the one before works in its time', async ({ page, world }) => {
    const card = await world.insertLocked('member');
    await start(page);
    await answerRightly(page, card);
    const first = codeIn(await world.mailbox.next());
    await page.getByText('Not received an email?').click();
    await page.getByRole('button', { name: 'Send a new code' }).click();
    await expect(page.getByText('We have sent a new code.').first()).toBeVisible();
    const second = codeIn(await world.mailbox.next());
    expect(second).not.toBe(first);
    await enterCode(page, first);
    await expectStep(page, UNLOCK.passcode);
  });
});
