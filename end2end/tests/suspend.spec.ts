// A machine that sleeps in the middle of an unlock: bridge and smartcard service stand still, and it goes on.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { pcscd, suspended } from '../harness/suspend.ts';
import { pause, until } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, expectReader } from '../steps/page.ts';
import { DONE, answerRightly, choosePasscode, enterRightCode, start } from '../steps/unlock.ts';

/** How long the machine sleeps. */
const SLEEP = 4_000;

const USING = 'Reading your Smartcard. Do not remove it.';

/** To where the new passcode is chosen. */
async function goToNewPasscode(page: Page, world: World): Promise<void> {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);
}

test('between two steps: the next one takes as long as the sleep, and goes on', async ({ page, world }) => {
  await goToNewPasscode(page, world);
  const passcode = randomPasscode();
  await suspended([world.bridge.pid, await pcscd()], async () => {
    await choosePasscode(page, passcode);
    await expectReader(page, USING);
    await expectAccessible(page, 'while the card is read');
    await pause(SLEEP);
    await expectReader(page, USING);
  });
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

for (const when of ['before', 'after'] as const) {
  test(`${when} the card sets the new passcode: it goes on`, async ({ page, world }) => {
    await goToNewPasscode(page, world);
    await world.pull();
    await world.insert('member', { fault: 'wait', when, instruction: '2C' });
    const passcode = randomPasscode();
    await choosePasscode(page, passcode);
    await until('the card waits', () => world.reader.isWaiting);
    await suspended([world.bridge.pid, await pcscd()], async () => {
      world.reader.goOn();
      await pause(SLEEP);
      await expectReader(page, USING);
    });
    await expectHeading(page, DONE);
    expect(await takesPasscode(passcode)).toBe(true);
  });
}

test('with a card that lost its power: it is told, and trying again is enough', async ({ page, world }) => {
  await goToNewPasscode(page, world);
  await world.pull();
  await world.insert('member', { fault: 'wait', when: 'after', instruction: '2C' });
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await until('the card waits', () => world.reader.isWaiting);
  await suspended([world.bridge.pid, await pcscd()], async () => {
    await world.reader.remove();
    await pause(SLEEP);
  });
  await expectReader(page, 'Your Smartcard was removed. Put it back.');
  await expect(page.getByText('We do not know if that finished. Your Smartcard is safe.')).toBeVisible();
  await world.insert('member');
  await expectReader(page, 'Smartcard found.');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});
