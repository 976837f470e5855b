// WebKit, which is what Safari is made of: WebKitGTK's small browser, by its WebDriver, on a display of its own.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';

import { Builder, By, Capabilities, type WebDriver, type WebElement } from 'selenium-webdriver';

import type { Authority } from './https.ts';
import { ADDRESS, HOST } from './https.ts';
import { freePort } from './ports.ts';
import { RunningProgram } from './process.ts';

const BROWSERS = ['4.1', '4.0'].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`);
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** How long something may take to appear. */
const PATIENCE = 20_000;

export class WebKit {
  private constructor(
    readonly driver: WebDriver,
    readonly program: RunningProgram,
  ) {}

  /** Starts it, where the website's name and its authority are known: in mounts of its own, not on this machine. */
  static async start(folder: string, authority: Authority): Promise<WebKit> {
    await mkdir(folder, { recursive: true });
    const hosts = join(folder, 'hosts');
    const certificates = join(folder, 'certificates.pem');
    await writeFile(hosts, `127.0.0.1 localhost\n${ADDRESS} ${HOST}\n`);
    const known = existsSync(CERTIFICATES) ? await readFile(CERTIFICATES, 'utf8') : '';
    await writeFile(certificates, `${await readFile(authority.certificate, 'utf8')}\n${known}`);
    const binary = BROWSERS.find(existsSync);
    if (!binary) throw new Error('webkit2gtk-driver is not installed');
    const port = await freePort();
    const script =
      `mount --bind ${hosts} /etc/hosts && mkdir -p ${folder}/run && ` +
      `{ [ ! -e ${CERTIFICATES} ] || mount --bind ${certificates} ${CERTIFICATES}; } && ` +
      `exec xvfb-run -a WebKitWebDriver --port=${port} --host=127.0.0.1`;
    // Who is not root mounts in a namespace of users of their own.
    const namespaces = process.getuid?.() === 0 ? '-m' : '-Urm';
    const command = ['unshare', namespaces, 'sh', '-c', script];
    const env = { HOME: folder, XDG_RUNTIME_DIR: join(folder, 'run'), WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };
    const program = RunningProgram.start('WebKitWebDriver', command, join(folder, 'webkit.log'), env);
    await program.ready(async () => (await fetch(`http://127.0.0.1:${port}/status`)).ok);
    const capabilities = new Capabilities({
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary, args: ['--automation'] },
    });
    const driver = await new Builder().usingServer(`http://127.0.0.1:${port}/`).withCapabilities(capabilities).build();
    return new WebKit(driver, program);
  }

  async stop(): Promise<void> {
    await this.driver.quit().catch(() => undefined);
    await this.program.stop();
  }

  /** What has this text, once it is there. */
  async byText(tag: string, text: string): Promise<WebElement> {
    return this.#found(By.xpath(`//${tag}[contains(normalize-space(.), ${JSON.stringify(text)})]`));
  }

  async byCss(selector: string): Promise<WebElement> {
    return this.#found(By.css(selector));
  }

  async press(button: string): Promise<void> {
    await (await this.byText('button', button)).click();
  }

  async #found(by: By): Promise<WebElement> {
    return this.driver.wait(async () => (await this.driver.findElements(by))[0], PATIENCE, `nothing is ${by}`) as Promise<WebElement>;
  }

  /** The window that is not this one. */
  async otherWindow(): Promise<string> {
    const own = await this.driver.getWindowHandle();
    const other = async () => (await this.driver.getAllWindowHandles()).find((window) => window !== own);
    return this.driver.wait(other, PATIENCE, 'no other window opened') as Promise<string>;
  }
}
