// A mail server for the service to send to. It reads each mail, and keeps it.

import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

import { until } from './until.ts';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** As it came over the wire. */
  raw: Buffer;
}

/** A code as it stands in a mail: alone on its line. */
const CODE = /^[B-DF-HJ-NP-TV-Z]{4}-[B-DF-HJ-NP-TV-Z]{4}$/m;

export class Mailbox {
  readonly mails: Mail[] = [];
  #server: SMTPServer | undefined;
  #read = 0;
  #refusal: { code: number; words: string } | undefined;

  constructor(readonly port: number) {}

  async open(): Promise<void> {
    const server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      onRcptTo: (_address, _session, done) => {
        const refusal = this.#refusal;
        done(refusal && Object.assign(new Error(refusal.words), { responseCode: refusal.code }));
      },
      onData: (stream, _session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          this.#take(Buffer.concat(chunks)).then(() => done(), done);
        });
      },
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  /** From now on every address is refused with this answer; without one all are taken again. */
  refuse(code?: number, words = ''): void {
    this.#refusal = code === undefined ? undefined : { code, words };
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(resolve));
  }

  /** The next mail in the order in which they came; each is given once. */
  async next(): Promise<Mail> {
    const mail = await until('a mail', () => this.mails[this.#read]);
    this.#read += 1;
    return mail;
  }

  /** How many mails came that were not given yet. */
  get unread(): number {
    return this.mails.length - this.#read;
  }

  async #take(raw: Buffer): Promise<void> {
    const mail: ParsedMail = await simpleParser(raw);
    const to = mail.to as AddressObject;
    this.mails.push({
      to: to.value.map((one) => one.address ?? '').join(', '),
      subject: mail.subject ?? '',
      text: mail.text ?? '',
      html: mail.html || '',
      raw,
    });
  }
}

/** The code in a mail. */
export function codeIn(mail: Mail): string {
  const found = CODE.exec(mail.text)?.[0];
  if (!found) throw new Error(`no code stands alone on a line of «${mail.subject}»`);
  return found;
}
