// Another program that uses the card: yubico-piv-tool, through the same PC/SC service.

import { execFile } from 'node:child_process';

/** The first slot of the virtual reader, as PC/SC calls it. */
const READER = 'Virtual PCD 00 00';

/** Whether the card in the first slot takes a passcode. A wrong one costs a try. */
export function takesPasscode(passcode: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile('yubico-piv-tool', ['-r', READER, '-a', 'verify-pin', '-P', passcode], (fault, stdout, stderr) => {
      const said = `${stdout}${stderr}`;
      if (/Successfully verified PIN/.test(said)) resolve(true);
      else if (/Pin verification failed|Pin code blocked|PIN verification failed|blocked/i.test(said)) resolve(false);
      else reject(new Error(`yubico-piv-tool: ${said} ${fault?.message ?? ''}`));
    });
  });
}

/** Locks the card in the first slot by wrong passcodes. */
export async function lockByWrongPasscodes(right: string): Promise<void> {
  const wrong = right.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
  for (let tries = 0; tries < 3; tries += 1) await takesPasscode(wrong);
  if (await takesPasscode(right)) throw new Error('the card is not locked');
}
