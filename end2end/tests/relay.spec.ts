// The helper window: a page of the bridge itself, for browsers that keep a website from it.

import { expect, test } from '../fixtures.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { allowIn, openHelper, startForbidden } from '../steps/helper.ts';
import { expectHeading, expectReader, expectStep, reload } from '../steps/page.ts';
import { DONE, UNLOCK, answerRightly, choosePasscode, enterRightCode } from '../steps/unlock.ts';

test.use({ worldOptions: { website: true }, ignoreHTTPSErrors: true });

test('an unlock where the browser forbids the direct way', async ({ page, world, watch }) => {
  watch.expect(/127\.0\.0\.1/);
  const card = await world.insertLocked('member');
  await startForbidden(page);
  await expectAccessible(page, 'a reader that the browser blocks');
  const helper = await openHelper(page);
  await expectHeading(helper, 'Allow this website to use your reader?');
  await expectReader(page, 'A helper window has opened. Choose Allow there.');
  await expectAccessible(page, 'while the window asks');
  await expect(helper.getByText(world.service.origin, { exact: true })).toBeVisible();
  await expectAccessible(helper, 'the question');
  await helper.getByRole('button', { name: 'Allow', exact: true }).click();
  await expectHeading(helper, 'Keep this window open');
  await expectAccessible(helper, 'the window');
  await expectStep(page, UNLOCK.questions);

  // It goes on after both windows were loaded again.
  await reload(page);
  await answerRightly(page, card);
  await helper.reload();
  await enterRightCode(page, world.mailbox);
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);

  const closed = helper.waitForEvent('close');
  await page.close();
  await closed;
});

test('a website that is not allowed in it gets nothing', async ({ page, world, watch }) => {
  watch.expect(/127\.0\.0\.1/);
  await world.insertLocked('member');
  await startForbidden(page);
  const helper = await openHelper(page);
  await Promise.all([helper.waitForEvent('close'), helper.getByRole('button', { name: 'Do not allow' }).click()]);
  await expectReader(page, 'The helper window was closed, or this website was not allowed there.');
  await expectAccessible(page, 'not allowed in the window');
});

test('where the bridge does not run the page says so soon, and goes on once it does', async ({ page, world, watch }) => {
  watch.expect(/127\.0\.0\.1|ERR_CONNECTION_REFUSED/);
  await world.insertLocked('member');
  await startForbidden(page);
  await world.bridge.stop();
  const helper = await openHelper(page);
  await expectReader(page, 'A helper window has opened. Choose Allow there.');
  await expectReader(page, 'Card Bridge does not answer in the helper window.');
  await expect(page.getByText('If that window shows that it cannot connect, Card Bridge is not running')).toBeVisible();
  await expectAccessible(page, 'a window without an answer');

  await world.bridge.start();
  await world.bridge.sees(1);
  // It is the same window.
  await page.getByRole('button', { name: 'Open helper window' }).click();
  await allowIn(helper);
  await expectStep(page, UNLOCK.questions);
});

test('it is not opened for a website that is not listed', async ({ page, world, watch }) => {
  watch.expect(/403 \(Forbidden\)/);
  await page.goto(`http://127.0.0.1:${world.bridge.options.port}/relay?origin=https://elsewhere.test`);
  await expectHeading(page, 'Card Bridge does not trust this website');
  await expectAccessible(page, 'not listed');
});
