// The fixtures: a world for each test, a browser that is watched, and the logs of both when a test fails.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { test as base } from '@playwright/test';

import { CardBox } from './harness/cards.ts';
import { Watch } from './harness/watch.ts';
import { World, type WorldOptions } from './harness/world.ts';
import { noteTakeOver } from './steps/page.ts';

export { expect } from '@playwright/test';

interface TestFixtures {
  /** How the world of a test is to be: `test.use({ worldOptions: … })`. */
  worldOptions: WorldOptions;
  world: World;
  /** Fails a test whose browser complained of something that the test did not expect. */
  watch: Watch;
}

interface WorkerFixtures {
  /** Cards as they were issued; each world has a copy. */
  issued: CardBox;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  worldOptions: [{}, { option: true }],

  issued: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'end2end-cards-'));
      await use(await CardBox.make(join(folder, 'cards')));
      await rm(folder, { recursive: true });
    },
    { scope: 'worker', timeout: 300_000 },
  ],

  world: async ({ issued, worldOptions }, use, info) => {
    const folder = await mkdtemp(join(tmpdir(), 'end2end-'));
    const world = await World.start(folder, issued, worldOptions);
    await use(world);
    await world.end();
    if (info.status !== info.expectedStatus) await world.keepLogs(info.outputPath('logs'));
    await rm(folder, { recursive: true });
  },

  baseURL: async ({ world }, use) => use(world.service.origin),

  watch: [
    async ({ context }, use) => {
      const watch = await Watch.of(context);
      await context.addInitScript(noteTakeOver);
      await use(watch);
      base.expect(watch.unexpected, 'what the browser complained of').toEqual([]);
    },
    { auto: true },
  ],
});
