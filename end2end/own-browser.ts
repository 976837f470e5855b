// The fixtures of a test that has a browser of its own.

import type { Browser } from '@playwright/test';

import { test as base } from './fixtures.ts';
import { type OwnBrowserOptions, ownBrowser } from './harness/own-browser.ts';

export { expect } from './fixtures.ts';

interface Fixtures {
  /** How the browser of a test is to be: `test.use({ browserOptions: … })`. */
  browserOptions: OwnBrowserOptions;
  ownBrowser: Browser;
}

export const test = base.extend<Fixtures>({
  browserOptions: [{}, { option: true }],

  ownBrowser: async ({ playwright, browserName, launchOptions, browserOptions, world }, use) => {
    const browser = await playwright[browserName].launch(await ownBrowser(launchOptions, browserOptions, world));
    await use(browser);
    await browser.close();
  },

  context: async ({ ownBrowser }, use) => {
    const context = await ownBrowser.newContext();
    await use(context);
    await context.close();
  },
});
