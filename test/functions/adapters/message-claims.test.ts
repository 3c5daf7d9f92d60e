import { describeMessageClaims } from './message-claims.contract.ts';
import { openSandboxStore } from './store.ts';

describeMessageClaims(openSandboxStore);
