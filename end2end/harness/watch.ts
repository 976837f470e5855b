// What a browser complains of: errors on its console, breaches of the Content-Security-Policy, exceptions, panics.

import type { BrowserContext } from '@playwright/test';

export class Watch {
  readonly complaints: string[] = [];
  #expected: RegExp[] = [];

  private constructor() {}

  static async of(context: BrowserContext): Promise<Watch> {
    const watch = new Watch();
    context.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const { url } = message.location();
      watch.complaints.push(`${message.type()}: ${message.text()} (${url})`);
    });
    context.on('weberror', (error) => watch.complaints.push(`exception: ${error.error().message}`));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`);
      });
    });
    return watch;
  }

  /** A complaint that the test brings about, like a connection that is refused because no bridge runs. */
  expect(complaint: RegExp): void {
    this.#expected.push(complaint);
  }

  get unexpected(): string[] {
    return this.complaints.filter((complaint) => !this.#expected.some((expected) => expected.test(complaint)));
  }
}
