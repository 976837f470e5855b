// The harness itself: programs that are started together must not want the same port.

import { expect, test } from '@playwright/test';

import { freePort } from '../harness/ports.ts';

test('no port is given twice', async () => {
  const given = new Set<number>();
  for (let count = 0; count < 300; count += 1) given.add(await freePort());
  expect(given.size).toBe(300);
});
