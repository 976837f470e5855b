// A schema of its own in the database that TEST_DATABASE_URL names: server/with-postgres starts one.

import { randomUUID } from 'node:crypto';

import { run } from './process.ts';

export class Schema {
  readonly #name = `test_${randomUUID().replaceAll('-', '')}`;

  private constructor(readonly database: string) {}

  static async make(): Promise<Schema> {
    const database = process.env['TEST_DATABASE_URL'];
    if (!database) throw new Error('no PostgreSQL: run this by server/with-postgres, or name one by TEST_DATABASE_URL');
    const schema = new Schema(database);
    await schema.#execute(`CREATE SCHEMA ${schema.#name}`);
    return schema;
  }

  /** Names the database with this schema and no other. */
  get url(): string {
    return `${this.database}${this.database.includes('?') ? '&' : '?'}options=-c%20search_path%3D${this.#name}`;
  }

  async drop(): Promise<void> {
    await this.#execute(`DROP SCHEMA ${this.#name} CASCADE`);
  }

  async #execute(statement: string): Promise<void> {
    await run('psql', ['--quiet', '--no-psqlrc', '--command', statement, this.database], { PGOPTIONS: '-c client_min_messages=warning' });
  }
}
