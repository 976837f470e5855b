// A website with TLS in front of the service: a public one, as far as a browser can tell.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, request } from 'node:http';
import { type Server, createServer } from 'node:https';
import { join } from 'node:path';

import { run } from './process.ts';

/** The host of the website; browsers are told where it is. */
export const HOST = 'service.test';

/** Where it is. Browsers take it for a public address, if they are told so; the bridge is at another. */
export const ADDRESS = '127.0.0.2';

/** A certification authority of one test, and a certificate of it for the website. */
export class Authority {
  private constructor(
    /** The authority's certificate, PEM: what a browser has to trust. */
    readonly certificate: string,
    readonly keyOfWebsite: string,
    readonly certificateOfWebsite: string,
  ) {}

  static async make(folder: string): Promise<Authority> {
    await mkdir(folder, { recursive: true });
    const file = (name: string) => join(folder, name);
    const openssl = (...args: string[]) => run('openssl', args);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await openssl('req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-days', '2',
      '-subj', '/CN=Test authority', '-addext', 'basicConstraints=critical,CA:TRUE');
    await openssl('req', ...key, '-keyout', file('website.key'), '-out', file('website.csr'), '-subj', `/CN=${HOST}`);
    await writeFile(file('website.ext'), `subjectAltName=DNS:${HOST}\nextendedKeyUsage=serverAuth\n`);
    await openssl('x509', '-req', '-in', file('website.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'),
      '-CAcreateserial', '-out', file('website.pem'), '-days', '2', '-extfile', file('website.ext'));
    return new Authority(file('ca.pem'), file('website.key'), file('website.pem'));
  }
}

/** The website: hands everything on to the service. */
export class Website {
  private constructor(
    readonly server: Server,
    readonly authority: Authority,
  ) {}

  static async start(authority: Authority, port: number, servicePort: number): Promise<Website> {
    const server = createServer({
      key: await readFile(authority.keyOfWebsite),
      cert: await readFile(authority.certificateOfWebsite),
    });
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
      const { method, url, headers } = asked;
      const passed = request({ host: '127.0.0.1', port: servicePort, method, path: url, headers });
      passed.once('response', (head) => {
        answer.writeHead(head.statusCode ?? 502, head.headers);
        head.pipe(answer);
      });
      passed.once('error', () => answer.destroy());
      asked.pipe(passed);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, ADDRESS, resolve);
    });
    return new Website(server, authority);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
