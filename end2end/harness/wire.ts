// What a browser sent and received, for the search for secrets.

import type { Page } from '@playwright/test';

import type { Place } from './canaries.ts';

export class Wire {
  /** Addresses and headers of requests. */
  readonly requestHeads: Place[] = [];
  /** Bodies of requests: the answers that a person types travel in these, and nothing else that is secret. */
  readonly requestBodies: Place[] = [];
  /** Bodies of answers. */
  readonly responses: Place[] = [];
  /** The messages to and from the bridge. */
  readonly messages: Place[] = [];

  constructor(page: Page) {
    page.on('request', (request) => {
      const name = `${request.method()} ${new URL(request.url()).pathname}`;
      const head = `${request.url()}\n${JSON.stringify(request.headers())}`;
      this.requestHeads.push({ name: `the head of ${name}`, content: Buffer.from(head) });
      const body = request.postDataBuffer();
      if (body) this.requestBodies.push({ name: `the body of ${name}`, content: body });
    });
    page.on('response', async (response) => {
      const name = `the answer to ${response.request().method()} ${new URL(response.url()).pathname}`;
      const kind = response.headers()['content-type'] ?? '';
      if (!/html|json/.test(kind)) return;
      // What a redirect or a page that was left has said cannot be read.
      const body = await response.body().catch(() => undefined);
      if (body) this.responses.push({ name, content: body });
    });
    page.on('websocket', (socket) => {
      const note = (name: string) => (frame: { payload: string | Buffer }) => {
        this.messages.push({ name, content: Buffer.from(frame.payload) });
      };
      socket.on('framesent', note('a message to the bridge'));
      socket.on('framereceived', note('a message from the bridge'));
    });
  }

  /** What the browser keeps: cookies and storage. */
  static async kept(page: Page): Promise<Place[]> {
    const state = await page.context().storageState();
    const session = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    return [{ name: 'what the browser keeps', content: Buffer.from(JSON.stringify(state) + session) }];
  }
}
