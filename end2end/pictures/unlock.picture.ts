// The unlock page, as somebody sees it whose card is locked.

import { fileURLToPath } from 'node:url';

import { test } from '../fixtures.ts';
import { open } from '../steps/page.ts';

test('the unlock page', async ({ page }) => {
  await page.setViewportSize({ width: 1000, height: 1150 });
  await open(page, '/unlock');
  await page.screenshot({ path: fileURLToPath(new URL('unlock.png', import.meta.url)) });
});
