// Cards at the Registration Authority's desk: a blank one is issued, one is replaced, one is unlocked in front of the officer.

import { expect, test } from '../fixtures.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { lockByWrongPasscodes, takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { openRecord, sayWhyAndHow, toTheDesk } from '../steps/desk.ts';
import { CONFIRM, ISSUE, fillIn, handOver } from '../steps/issue.ts';
import { expectHeading } from '../steps/page.ts';
import { beginRegistration, enterRegistrationCode, sendCode, setQuestions } from '../steps/register.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import {
  DONE,
  UNLOCK,
  answerRightly,
  answerWrongly,
  choosePasscode,
  enterRightCode,
  fillNewPasscode,
  start,
} from '../steps/unlock.ts';

test('a blank card becomes somebody’s, who registers, is locked out, and unlocks it once the RA has let them', async ({
  page,
  world,
}) => {
  const officer = await toTheDesk(page, world);
  await openRecord(page, 'Newcomer', 'Nell Newcomer');
  await page.getByRole('link', { name: ISSUE }).click();
  await expectHeading(page, ISSUE);
  await expect(page.getByText('Put the blank Smartcard in another reader than yours.')).toBeVisible();
  await expectAccessible(page, 'a card to be issued');
  await world.secondReader.insert('blank');
  await expect(page.getByText('Blank Smartcard: in')).toBeVisible();

  await fillNewPasscode(page, '123456');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Passcode must not be a sequence');
  const passcode = randomPasscode();
  await fillIn(page, passcode);
  await expectAccessible(page, 'the officer’s part');
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, 'Nell Newcomer');
  await expect(page.getByText('Done. They have been emailed.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Smartcards of this person' }).getByRole('row')).toHaveCount(3);
  expect((await world.mailbox.next()).text).toContain('has issued a Smartcard to you');

  await handOver(page, world, 'blank');
  // Another program takes it for a card like any other.
  expect(await takesPasscode(passcode)).toBe(true);
  expect(await takesPasscode('123456')).toBe(false);
  await signIn(page, passcode);
  const answers = randomAnswers([2, 6, 9, 18]);
  await beginRegistration(page, passcode);
  await setQuestions(page, answers);
  await sendCode(page);
  await enterRegistrationCode(page, world.mailbox);
  await world.mailbox.next();

  await lockByWrongPasscodes(passcode);
  await start(page);
  for (const left of ['2 attempts left', '1 attempt left']) {
    await answerWrongly(page);
    await expect(page.locator('.nhsuk-error-summary')).toContainText(left);
  }
  await answerWrongly(page);
  await expectHeading(page, 'You cannot unlock this Smartcard yourself');
  await world.mailbox.next();
  await world.pull();

  await toTheDesk(page, world);
  await openRecord(page, 'Newcomer', 'Nell Newcomer');
  await page.getByRole('link', { name: 'Let them use Smartcard Unlock again' }).click();
  await sayWhyAndHow(page);
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, 'Nell Newcomer');
  await world.mailbox.next();
  await handOver(page, world, 'blank');

  await start(page);
  await answerRightly(page, { ...world.box.card('newcomer'), registered: { email: '', answers } });
  await enterRightCode(page, world.mailbox);
  const chosen = randomPasscode();
  await choosePasscode(page, chosen);
  await expectHeading(page, DONE);
  expect(await takesPasscode(chosen)).toBe(true);
});

test('a card that is pulled while it is issued is issued by the same again, and takes the place of another', async ({
  page,
  world,
}) => {
  const officer = await toTheDesk(page, world);
  await openRecord(page, 'Newcomer', 'Nell Newcomer');
  await page.getByRole('link', { name: /^Replace/ }).click();
  await expect(page.getByText('It takes the place of the Smartcard')).toBeVisible();
  // Just after the unlock key was replaced.
  await world.secondReader.insert('blank', { fault: 'pull', when: 'after', instruction: '24', nth: 2 });
  const passcode = randomPasscode();
  await fillIn(page, passcode);
  await expect(page.getByText('Blank Smartcard: in')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await world.secondReader.isPulled();
  await expect(page.getByText('Your Smartcard was removed. Put it back.')).toBeVisible();

  await world.secondReader.insert('blank');
  await expect(page.getByText('Blank Smartcard: in')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, 'Nell Newcomer');
  const cards = page.getByRole('table', { name: 'Smartcards of this person' });
  await expect(cards.getByText('Cancelled')).toHaveCount(1);
  await expect(cards.getByText('In use')).toHaveCount(1);
  await handOver(page, world, 'blank');
  expect(await takesPasscode(passcode)).toBe(true);
  await signIn(page, passcode);
});

test('a card of somebody is not issued to another', async ({ page, world, watch }) => {
  watch.expect(/api\/ra\/confirm-card/);
  const officer = await toTheDesk(page, world);
  await openRecord(page, 'Newcomer', 'Nell Newcomer');
  await page.getByRole('link', { name: ISSUE }).click();
  await world.secondReader.insert('member');
  await fillIn(page, randomPasscode());
  await expect(page.getByText('Blank Smartcard: in')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await expect(page.locator('.nhsuk-error-summary')).toContainText("This Smartcard is somebody's already.");
  await handOver(page, world, 'member');
  expect(await takesPasscode(world.box.card('member').passcode)).toBe(true);
});

test('an officer reads a card to find whose it is, and lets its person choose a passcode in front of them', async ({
  page,
  world,
}) => {
  const member = await world.insertLocked('member');
  await world.pull();
  const officer = await toTheDesk(page, world);
  await page.getByRole('button', { name: 'Read their Smartcard' }).click();
  await expect(page.getByRole('status')).toContainText('Put their Smartcard in another reader than yours.');
  await expectAccessible(page, 'no card to be read');
  await world.secondReader.insert('member');
  await world.bridge.sees(2);
  await page.getByRole('button', { name: 'Read their Smartcard' }).click();
  await page.getByRole('link', { name: member.name, exact: true }).click();
  await expectHeading(page, member.name);
  await page.getByRole('row', { name: member.guid }).getByRole('link', { name: /^Unlock/ }).click();
  await expectHeading(page, 'Unlock a Smartcard in front of you');
  await sayWhyAndHow(page);
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, UNLOCK.passcode.heading);
  expect((await world.mailbox.next()).text).toContain('let you choose a new passcode');

  const chosen = randomPasscode();
  await choosePasscode(page, chosen);
  await expectHeading(page, DONE);
  expect((await world.mailbox.next()).subject).toBe('Your Smartcard was unlocked');
  await world.secondReader.remove();
  await world.reader.insert('member');
  expect(await takesPasscode(chosen)).toBe(true);
  // The officer's session has ended with the keyboard.
  await page.goto('/ra');
  await expect(page).toHaveURL('/sign-in?over');
});
