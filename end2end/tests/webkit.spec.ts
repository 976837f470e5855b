// An unlock in WebKit: it keeps every https page from the bridge, so the helper window is the only way.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { pause, until } from '../harness/until.ts';
import { WebKit } from '../harness/webkit.ts';
import { rightAnswer } from '../steps/unlock.ts';

test.use({ worldOptions: { website: true } });

test('an unlock by the helper window', async ({ world }) => {
  const card = await world.insertLocked('member');
  if (!world.website) throw new Error('there is no website');
  const webkit = await WebKit.start(`${world.folder}/webkit`, world.website.authority);
  const { driver } = webkit;
  try {
    await driver.get(`${world.service.origin}/unlock`);
    // A page that its script has not taken over yet does nothing.
    await until('the page says that it needs the helper window', async () => {
      await webkit.press('Start');
      await pause(500);
      return (await driver.getPageSource()).includes('This browser needs a helper window');
    }, 30_000);
    await webkit.press('Open helper window');
    const page = await driver.getWindowHandle();
    await driver.switchTo().window(await webkit.otherWindow());
    await webkit.byText('h1', 'Allow this website to use your reader?');
    await webkit.press('Allow');
    await webkit.byText('h1', 'Keep this window open');
    await driver.switchTo().window(page);

    await webkit.byText('h1', 'Answer your security questions');
    for (const label of await driver.findElements({ css: 'fieldset label' })) {
      const field = await driver.findElement({ id: (await label.getAttribute('for')) ?? '' });
      await field.sendKeys(rightAnswer(card, await label.getText()));
    }
    await webkit.press('Continue');
    await webkit.byText('h1', 'Enter your Unlock Code');
    await (await webkit.byCss('input#code')).sendKeys(codeIn(await world.mailbox.next()));
    await webkit.press('Continue');
    await webkit.byText('h1', 'Choose a new passcode');
    const passcode = randomPasscode();
    for (const field of await driver.findElements({ css: 'input[type=password]' })) await field.sendKeys(passcode);
    await webkit.press('Unlock my Smartcard');
    await webkit.byText('h1', 'Your Smartcard is unlocked');
    expect(await takesPasscode(passcode)).toBe(true);
  } finally {
    await webkit.stop();
  }
});
