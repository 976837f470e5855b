// How the tests run: one after another, because they share the virtual reader, in Debian's Chromium.

import { defineConfig } from '@playwright/test';

import type { WorldOptions } from './harness/world.ts';

export default defineConfig<{ worldOptions: WorldOptions }>({
  testDir: 'tests',
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: Boolean(process.env['CI']),
  reporter: [['list']],
  projects: [
    { name: 'sqlite' },
    // What reaches the database is tested below; here it is shown that an unlock does.
    { name: 'postgres', testMatch: 'unlock.spec.ts', use: { worldOptions: { database: 'postgres' } } },
  ],
  use: {
    browserName: 'chromium',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
