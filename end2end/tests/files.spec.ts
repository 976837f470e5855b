// The files of the pages on their way to the browser.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { randomPasscode } from '../harness/people.ts';
import { open } from '../steps/page.ts';
import { unlock } from '../steps/unlock.ts';

test('scripts, bundles and style come compressed, are kept for good, and are not sent again', async ({ page }) => {
  const html = await (await page.request.get('/unlock')).text();
  const files = new Set(html.match(/\/pkg-[0-9a-f]{16}\/service-centre\.(?:css|js|wasm)/g));
  expect(files.size).toBe(3);
  for (const file of files) {
    for (const encoding of ['br', 'gzip']) {
      const sent = await page.request.get(file, { headers: { 'accept-encoding': encoding } });
      expect(sent.status(), file).toBe(200);
      const { etag = '', ...headers } = sent.headers();
      expect(headers['content-encoding'], file).toBe(encoding);
      expect(headers['cache-control'], file).toBe('public, max-age=31536000, immutable');
      expect(headers['vary'], file).toContain('accept-encoding');
      const again = await page.request.get(file, { headers: { 'accept-encoding': encoding, 'if-none-match': etag } });
      expect(again.status(), file).toBe(304);
    }
    const plain = await page.request.get(file, { headers: { 'accept-encoding': 'br;q=0' } });
    expect(plain.headers()['content-encoding'], file).toBeUndefined();
  }
  const icon = await page.request.get('/favicon.svg');
  expect(icon.headers()['cache-control']).toBe('no-cache');
});

/** The bundles that a page asks for from now on. */
function watchBundles(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.endsWith('.wasm')) asked.push(pathname);
  });
  return asked;
}

test('a whole unlock asks for few bundles, each of them once', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  const asked = watchBundles(page);
  await unlock(page, card, world.mailbox, randomPasscode());
  expect(asked.filter((file) => file.includes('/pack_'))).toHaveLength(2);
  expect(asked.length).toBeLessThanOrEqual(7);
  expect(new Set(asked).size).toBe(asked.length);
  expect((await world.mailbox.next()).subject).toBe('Your Smartcard was unlocked');
});

test('a page that is opened names all its bundles to the browser, which asks for each of them once', async ({ page }) => {
  const asked = watchBundles(page);
  await open(page, '/sign-in');
  const named = await page.locator('link[rel=preload][as=fetch]').evaluateAll((links) =>
    links.map((link) => new URL((link as HTMLLinkElement).href).pathname),
  );
  expect(named.some((file) => file.endsWith('/pack_sign_in.wasm'))).toBe(true);
  expect(named.length).toBeLessThanOrEqual(6);
  expect(new Set(asked)).toEqual(new Set(named));
  expect(new Set(asked).size).toBe(asked.length);
});
