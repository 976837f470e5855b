// «This was not me»: the link of a mail, for whoever did not do what it tells.

import { expect, test } from '../fixtures.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, open } from '../steps/page.ts';
import { signIn } from '../steps/sign-in.ts';
import { answerWrongly, start } from '../steps/unlock.ts';

test('the link of a mail freezes self-service once its button was pressed', async ({ page, world }) => {
  const card = await world.insert('member');
  await start(page);
  for (const left of ['2 attempts', '1 attempt']) {
    await answerWrongly(page);
    await expect(page.locator('.nhsuk-error-summary')).toContainText(`You have ${left} left`);
  }
  await answerWrongly(page);
  await expectHeading(page, 'You cannot unlock this Smartcard yourself');

  const link = /^http\S+$/m.exec((await world.mailbox.next()).text)?.[0] ?? '';
  await open(page, link);
  await expectHeading(page, 'Was this not you?');
  await expectAccessible(page, 'the link');
  await page.getByRole('button', { name: 'Freeze Smartcard Unlock' }).click();
  await expectHeading(page, 'Smartcard Unlock is frozen');
  await expect(page).toHaveURL('/not-me?frozen');
  await expectAccessible(page, 'frozen');
  expect((await world.mailbox.next()).subject).toBe('Smartcard Unlock is frozen');

  await open(page, link);
  await expect(page.getByText('It was frozen on')).toBeVisible();
  await expectAccessible(page, 'the link once more');
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectHeading(page, 'Smartcard Unlock is frozen');
  await expect(page.getByText('Quote reference')).toBeVisible();
  await expectAccessible(page, 'an unlock while it is frozen');
  await signIn(page, card.passcode);
  await expectAccessible(page, 'the profile while it is frozen');
});

test('a link that does not work says what to do', async ({ page }) => {
  await open(page, '/not-me?of=c2VhbGVk');
  await expect(page.getByText('This link does not work.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Contact your Registration Authority' })).toBeVisible();
  await expectAccessible(page, 'a link that does not work');
});
