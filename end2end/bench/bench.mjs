// Measures against the bounds: `make bench`. The measuring itself is TypeScript, which tsx reads.

import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
