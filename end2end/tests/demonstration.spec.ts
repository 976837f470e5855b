// The demonstration, as `make run` starts it: cards inside the bridge, mails on a page.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '../fixtures.ts';
import { randomPasscode } from '../harness/people.ts';
import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, expectStep, open } from '../steps/page.ts';
import { signIn } from '../steps/sign-in.ts';
import { DONE, UNLOCK, answerRightly, choosePasscode, enterCode, start } from '../steps/unlock.ts';

test.use({ worldOptions: { demonstration: true, virtualCards: true } });

test('a newcomer locks a card, unlocks it, and finds all that is needed on the pages', async ({ page, world, watch }) => {
  // The frame of a mail runs no script, the test's neither.
  watch.expect(/Blocked script execution in '[^']*\/demo\/mail\/\d+'/);
  const card = world.box.card('member');
  await open(page, '/');
  await expect(page.getByText('Everything here is made up.')).toBeVisible();
  await page.getByText('Cards, passcodes and answers').click();
  await expect(page.getByRole('cell', { name: card.passcode })).toBeVisible();
  for (const { answer } of card.registered?.answers ?? []) {
    await expect(page.getByText(answer, { exact: true }).first()).toBeVisible();
  }

  await page.goto('/demo/cards');
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Open the page of the cards' }).click();
  const cards = await opened;
  await cards.getByRole('button', { name: 'Insert member', exact: true }).click();
  await cards.getByRole('button', { name: 'Lock the card by wrong passcodes' }).click();
  await expect(cards.getByRole('status').first()).toContainText('The card is locked');
  // Then one line a reader; the card is in the first.
  await expect(cards.getByRole('status').nth(1)).toContainText('member is inserted');

  await start(page, `${world.service.origin}/unlock`);
  await answerRightly(page, card);
  const mailbox = await page.context().newPage();
  await mailbox.goto(`${world.service.origin}/demo/mailbox`);
  await expect(mailbox.getByText('Your Smartcard Unlock Code').first()).toBeVisible();
  const code = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(await mailbox.locator('main').innerText())?.[0] ?? '';
  const html = mailbox.frameLocator('iframe').first();
  await expect(html.getByText(code)).toBeVisible();
  // With its own styles: the code stands out.
  await expect(html.getByText(code)).toHaveCSS('font-size', '32px');
  // axe is a script, which a mail lets none run.
  await mailbox.locator('iframe').evaluateAll((frames) => frames.forEach((frame) => frame.remove()));
  await expectAccessible(mailbox, 'a mailbox with a mail');
  await enterCode(page, code);
  await expectStep(page, UNLOCK.passcode);
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  await signIn(page, passcode);
});

test('every page says that this is a demonstration', async ({ page, watch }) => {
  watch.expect(/404 \(Not Found\)/);
  for (const path of ['/', '/unlock', '/sign-in', '/help', '/help/reader', '/demo/mailbox', '/demo/cards', '/no-such-page']) {
    await page.goto(path);
    await expect(page.getByText('Everything here is made up. Do not enter anything real.')).toBeVisible();
  }
});

test('a demonstration is not served to other machines', async ({ world }) => {
  const file = join(world.folder, 'for-everybody.toml');
  const toml = await readFile(join(world.folder, 'service-centre.toml'), 'utf8');
  await writeFile(file, toml.replace(/^listen = .*$/m, 'listen = "0.0.0.0:0"'));
  const served = run(programs.serviceCentre(), ['--config', file, 'serve']);
  await expect(served).rejects.toThrow(/listen: is a loopback address in a demonstration/);
});
