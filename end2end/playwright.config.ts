// How the tests run: one after another, because they share the virtual reader, in Debian's Chromium.

import { defineConfig } from '@playwright/test';

import { ADDRESS, HOST } from './harness/https.ts';
import type { WorldOptions } from './harness/world.ts';

const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser that takes the website for one of the internet. */
const WEBSITE = [`--host-resolver-rules=MAP ${HOST} ${ADDRESS}`, `--ip-address-space-overrides=${ADDRESS}:0=public`];

/** What is tested of a website of the internet, in Chromium. */
const ON_A_WEBSITE = ['policies.spec.ts', 'relay.spec.ts', 'website.spec.ts'];

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig<{ worldOptions: WorldOptions }>({
  testDir: 'tests',
  workers: 1,
  timeout: 180_000,
  // Times are longer than anything takes, also on a machine that is busy. The shade at the edge of a letter may be another on
  // another machine; a word may not.
  expect: { timeout: 30_000, toHaveScreenshot: { threshold: 0.35, maxDiffPixels: 100 } },
  snapshotPathTemplate: 'pictures/{arg}{ext}',
  forbidOnly: Boolean(process.env['CI']),
  // Where so many fail it is one fault.
  maxFailures: 20,
  reporter: [['list']],
  projects: [
    { name: 'sqlite', testIgnore: [...ON_A_WEBSITE, 'firefox.spec.ts', 'webkit.spec.ts'] },
    // What reaches the database is tested below; here it is shown that an unlock does.
    { name: 'postgres', testMatch: 'unlock.spec.ts', use: { worldOptions: { database: 'postgres' } } },
    {
      name: 'website',
      testMatch: ON_A_WEBSITE,
      use: { launchOptions: { executablePath, args: [...CHROMIUM, ...WEBSITE] } },
    },
    {
      name: 'firefox',
      testMatch: ['firefox.spec.ts', 'policies.spec.ts', 'website.spec.ts'],
      use: {
        browserName: 'firefox',
        channel: 'moz-firefox',
        launchOptions: {
          executablePath: process.env['FIREFOX'] ?? '/usr/bin/firefox-esr',
          firefoxUserPrefs: { 'network.dns.forceResolve': ADDRESS },
        },
      },
    },
    { name: 'webkit', testMatch: 'webkit.spec.ts' },
  ],
  use: {
    browserName: 'chromium',
    screenshot: 'only-on-failure',
    launchOptions: { executablePath, args: CHROMIUM },
  },
});
