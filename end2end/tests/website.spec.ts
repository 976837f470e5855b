// A public website whose pages reach the bridge directly, as the browser or a policy allows.

import { test } from '../fixtures.ts';
import { randomPasscode } from '../harness/people.ts';
import { unlock } from '../steps/unlock.ts';

test.use({ worldOptions: { website: true }, ignoreHTTPSErrors: true });

test('an unlock by the direct way', async ({ page, context, world, browserName }) => {
  // Firefox asks for websockets in later releases only.
  if (browserName === 'chromium') await context.grantPermissions(['local-network-access']);
  const card = await world.insertLocked('member');
  await unlock(page, card, world.mailbox, randomPasscode());
});
