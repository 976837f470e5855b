// The unlock page, cold: every byte that a browser transfers for it.

import { chromium } from '@playwright/test';

import type { CardBox } from '../harness/cards.ts';
import { World } from '../harness/world.ts';
import config from '../playwright.config.ts';
import { type Measurement, measured } from './measure.ts';

const BOUND_KB = 250;

const PARTS = ['HTML', 'CSS', 'wasm', 'JavaScript', 'fonts', 'other'] as const;
type Part = (typeof PARTS)[number];

export async function measurePage(folder: string, cards: CardBox): Promise<Measurement[]> {
  const world = await World.start(folder, cards);
  const browser = await chromium.launch(config.use?.launchOptions);
  try {
    const page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    const bytes = new Map<Part, number>(PARTS.map((part) => [part, 0]));
    const kinds = new Map<string, Part>();
    session.on('Network.responseReceived', ({ requestId, type, response }) => {
      kinds.set(requestId, part(type, response.mimeType));
    });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId) ?? 'other';
      bytes.set(kind, (bytes.get(kind) ?? 0) + encodedDataLength);
    });
    await page.goto(`${world.service.origin}/unlock`, { waitUntil: 'networkidle' });
    const total = [...bytes.values()].reduce((sum, some) => sum + some, 0);
    if (!bytes.get('wasm')) throw new Error('the page loaded no wasm');
    return [
      ...[...bytes].map(([name, some]) => measured(`unlock page, cold: ${name}`, some / 1000, 'kB')),
      measured('unlock page, cold: in total', total / 1000, 'kB', BOUND_KB),
    ];
  } finally {
    await browser.close();
    await world.end();
  }
}

function part(type: string, mimeType: string): Part {
  if (mimeType === 'application/wasm') return 'wasm';
  if (type === 'Document') return 'HTML';
  if (type === 'Stylesheet') return 'CSS';
  if (type === 'Script') return 'JavaScript';
  if (type === 'Font') return 'fonts';
  return 'other';
}
