// The helper window, where a page says that it is needed.

import type { Page } from '@playwright/test';

import { expectHeading, expectReader, open } from './page.ts';

/** Presses Start, which the browser forbids. */
export async function startForbidden(page: Page): Promise<void> {
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectReader(page, 'Your browser is blocking your reader.');
}

/** Opens the helper window, where a page offers it. */
export async function openHelper(page: Page): Promise<Page> {
  const [helper] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('button', { name: 'Open helper window' }).click(),
  ]);
  return helper;
}

/** Allows the website in the helper window. */
export async function allowIn(helper: Page): Promise<void> {
  await expectHeading(helper, 'Allow this website to use your reader?');
  await helper.getByRole('button', { name: 'Allow', exact: true }).click();
  await expectHeading(helper, 'Keep this window open');
}
