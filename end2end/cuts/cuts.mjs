// Cuts an unlock at every point: `make cuts`. The cutting itself is TypeScript, which tsx reads.

import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
