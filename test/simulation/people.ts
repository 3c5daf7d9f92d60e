import { DIGEST_BUTTON } from '../../functions/contracts/slack-actions.ts';
import { type Button, buttonsOf } from '../../sandbox/slack/block-schema.ts';
import { runCommand } from '../../sandbox/slack/commands.ts';
import {
  click,
  closeView,
  ImpossibleInteraction,
  type InteractionAnswer,
  submit,
} from '../../sandbox/slack/interactions.ts';
import { removeMessage } from '../../sandbox/slack/messages.ts';
import { type Channel, isReply, type Message, type OpenView, type Workspace } from '../../sandbox/slack/workspace.ts';
import { PEOPLE } from '../../sandbox/world.ts';
import type { Coverage } from './coverage.ts';
import { KEY_ACCOUNTS } from './key-owners.ts';
import type { Move, Scheduler, Source } from './scheduler.ts';
import type { SimulatedSlack } from './simulated-slack.ts';

/** A button under a message that a person looks at. */
type Sight = { channel: Channel; message: Message; button: Button };
/** A button in a list that a person has open. */
type ListSight = { user: string; viewId: string; blockId: string; button: Button };

const DAY = 86_400_000;

const APPROVERS = ['U0APPROVER', 'U0APPROVER2', 'U0ENGINEER'];
/** Approvers click more often than the rest, or little would ever be decided. */
const CLICKERS = PEOPLE.map(({ id }) => ({
  id,
  weight: APPROVERS.includes(id) ? 6 : 1,
}));
const BUTTON_WEIGHTS: Record<string, number> = {
  ...{ approve: 6, exempt: 8, 're-check': 2 },
  ...{ 'confirm-request': 40, 'renew-exemption': 8 },
  ...{ 'confirm-pattern': 80, 'renew-pattern': 6, 'revoke-pattern': 12 },
  ...{ 'approve-all': 12, 'review-digest': 12, 'same-page': 1, 'first-page': 1 },
};
/** Days until the end that people ask for; the policy allows 90. */
const ASKED_DAYS = [1, 2, 20, 89, 95, -1];
const OWNERS = ['U0VIEWER', 'U0ENGINEER', 'U0GUEST', 'U0OUTSIDER'];
const OWNER_WEIGHTS = [8, 4, 1, 1];
const REASONS = [
  'the vendor cannot follow a rotation before the migration',
  'the partner re-encrypts next quarter',
  'soon',
];
/** Which keys people exempt together: all that engineers make, or those that somebody tagged. */
const PATTERNS = ['alias:key-*', 'alias:key-1', 'tag:team=pay*', 'alias:*'];
const PATTERN_WEIGHTS = [8, 3, 3, 1];
const REASON_WEIGHTS = [6, 6, 1];

/**
 * People in Slack, who may do anything at any moment: click whatever button they see, fill in forms well or badly, close
 * them, delete messages.
 */
export class People implements Source {
  readonly #scheduler: Scheduler;
  readonly #slack: SimulatedSlack;
  readonly #coverage: Coverage;
  readonly #from: number;
  readonly #looksAtDigests: boolean;
  readonly #mayExemptPatterns: boolean;
  readonly #onFirstLook: () => void;
  #hasLooked = false;
  #acts: number;
  #waiting = 0;
  /** Post ids of messages that somebody deleted. */
  readonly deleted = new Set<string>();

  /** `from`: the instant at which they look for the first time, or before when `looksAtDigests` and one can be approved. */
  public constructor(parts: {
    scheduler: Scheduler;
    slack: SimulatedSlack;
    coverage: Coverage;
    acts: number;
    from: number;
    looksAtDigests: boolean;
    mayExemptPatterns: boolean;
    onFirstLook: () => void;
  }) {
    this.#scheduler = parts.scheduler;
    this.#slack = parts.slack;
    this.#coverage = parts.coverage;
    this.#acts = parts.acts;
    this.#from = parts.from;
    this.#looksAtDigests = parts.looksAtDigests;
    this.#mayExemptPatterns = parts.mayExemptPatterns;
    this.#onFirstLook = parts.onFirstLook;
  }

  /** Requests that people wait for an answer to. */
  public waiting(): number {
    return this.#waiting;
  }
  public isDone(): boolean {
    return this.#acts === 0;
  }
  public haveLooked(): boolean {
    return this.#hasLooked;
  }
  public stop(): void {
    this.#acts = 0;
  }

  public moves(): Move[] {
    if (this.#acts === 0) return [];
    const moves: Move[] = [];
    const sights = this.#sights();
    if (!this.#looks(sights)) return [];
    if (sights.length > 0)
      moves.push({
        weight: 6,
        act: () => {
          this.#click(sights);
        },
      });
    const forms = this.#slack.workspace.views.filter(({ view }) => isForm(view));
    if (forms.length > 0)
      moves.push({
        weight: 8,
        act: () => {
          this.#fillIn(forms);
        },
      });
    if (this.#mayExemptPatterns)
      moves.push({
        weight: 3,
        act: () => {
          this.#exemptPattern();
        },
      });
    const inLists = this.#listSights();
    if (inLists.length > 0)
      moves.push({
        weight: 8,
        act: () => {
          this.#clickInList(inLists);
        },
      });
    if (sights.length > 0)
      moves.push({
        weight: 1,
        act: () => {
          this.#delete(sights);
        },
      });
    return moves;
  }

  public nextAt(): number | null {
    // Nobody waits for nothing.
    return this.#acts > 0 && !this.#hasLooked && this.#sights().length > 0 ? this.#from : null;
  }

  #looks(sights: readonly Sight[]): boolean {
    if (this.#hasLooked) return true;
    const offersAll = sights.some(({ button }) => button.action_id === DIGEST_BUTTON.approveAll);
    if (this.#scheduler.now() < this.#from && !(this.#looksAtDigests && offersAll)) return false;
    this.#hasLooked = true;
    this.#onFirstLook();
    return true;
  }

  #sights(): Sight[] {
    return this.#slack.workspace.channels.flatMap((channel) =>
      channel.messages
        .filter((message) => !isReply(message) && message.subtype !== 'tombstone')
        .flatMap((message) =>
          (message.blocks ?? []).flatMap(buttonsOf).map((button) => ({ channel, message, button })),
        ),
    );
  }

  #listSights(): ListSight[] {
    return this.#slack.workspace.views.flatMap(({ user, view }) =>
      view.blocks.flatMap((block) =>
        buttonsOf(block).map((button) => ({ user, viewId: view.id, blockId: block.block_id, button })),
      ),
    );
  }

  #clickInList(sights: readonly ListSight[]): void {
    const sight = this.#one(
      sights,
      sights.map(({ button }) => BUTTON_WEIGHTS[button.action_id] ?? 4),
    );
    if (sight === undefined) return;
    const { user, viewId, blockId, button } = sight;
    if (this.#scheduler.pick([12, 1]) === 1) {
      this.#scheduler.tell(() => `${user} closes the list`);
      this.#act(() => closeView(this.#slack.context, { user, viewId }));
      return;
    }
    this.#scheduler.tell(() => `${user} clicks ${button.action_id} in the list`);
    this.#act(() => click(this.#slack.context, { user, viewId, blockId, actionId: button.action_id }));
  }

  #one<T>(options: readonly T[], weights: readonly number[]): T | undefined {
    return options[this.#scheduler.pick(weights)];
  }

  #click(sights: readonly Sight[]): void {
    const sight = this.#one(
      sights,
      sights.map(({ button }) => BUTTON_WEIGHTS[button.action_id] ?? 4),
    );
    const person = this.#one(
      CLICKERS,
      CLICKERS.map(({ weight }) => weight),
    );
    if (sight === undefined || person === undefined) return;
    const { channel, message, button } = sight;
    const actionId = button.action_id;
    if (actionId === DIGEST_BUTTON.approveAll) {
      this.#coverage.note(`${APPROVERS.includes(person.id) ? 'who may' : 'who may not'} clicks "Approve all"`);
    }
    this.#scheduler.tell(() => `${person.id} clicks ${actionId} under "${message.text.slice(0, 60)}"`);
    const at = { user: person.id, channel: channel.id, ts: message.ts, actionId };
    this.#act(() => click(this.#slack.context, at));
    // Impatient people click twice.
    if (this.#scheduler.pick([6, 1]) === 1) {
      this.#scheduler.tell(() => `${person.id} clicks ${actionId} again`);
      this.#act(() => click(this.#slack.context, at));
    }
  }

  #exemptPattern(): void {
    const person = this.#one(
      CLICKERS,
      CLICKERS.map(({ weight }) => weight),
    );
    const account = this.#one(
      KEY_ACCOUNTS,
      KEY_ACCOUNTS.map(() => 1),
    );
    const keys = this.#one(PATTERNS, PATTERN_WEIGHTS);
    if (person === undefined || account === undefined || keys === undefined) return;
    const text = `exempt ${account} ${keys}`;
    this.#scheduler.tell(() => `${person.id} types "${text}"`);
    const command = { user: person.id, channel: 'C0SECURITY', command: '/kms-rotation', text };
    this.#act(() => runCommand(this.#slack.context, command));
  }

  #fillIn(forms: Workspace['views']): void {
    const open = this.#one(
      forms,
      forms.map(() => 1),
    );
    if (open === undefined) return;
    const { user, view } = open;
    if (this.#scheduler.pick([9, 1]) === 1) {
      this.#scheduler.tell(() => `${user} closes the form`);
      this.#act(() => closeView(this.#slack.context, { user, viewId: view.id }));
      return;
    }
    const days = this.#one(ASKED_DAYS, [4, 4, 4, 4, 1, 1]) ?? 1;
    const until = new Date(this.#scheduler.now() + days * DAY).toISOString().slice(0, 10);
    const owner = this.#one(OWNERS, OWNER_WEIGHTS) ?? '';
    const reason = this.#one(REASONS, REASON_WEIGHTS) ?? '';
    this.#scheduler.tell(() => `${user} submits the form: owner ${owner}, until ${until}, "${reason}"`);
    this.#act(() => submit(this.#slack.context, { user, viewId: view.id, values: { owner, reason, until } }));
  }

  #delete(sights: readonly Sight[]): void {
    const sight = this.#one(
      sights,
      sights.map(() => 1),
    );
    if (sight === undefined) return;
    this.#acts -= 1;
    const { channel, message, button } = sight;
    if (button.action_id === DIGEST_BUTTON.review) this.#coverage.note('somebody deletes the message of a digest');
    this.#scheduler.tell(() => `somebody deletes the message "${message.text.slice(0, 60)}"`);
    const postId = message.metadata?.event_payload['post_id'];
    if (typeof postId === 'string') this.deleted.add(postId);
    removeMessage(channel, message);
  }

  #act(act: () => Promise<InteractionAnswer>): void {
    if (this.#acts > 0) this.#acts -= 1;
    this.#waiting += 1;
    act()
      .then(
        (answer) => {
          const shown = answer.ephemerals.map(({ text }) => `"${text.slice(0, 80)}"`).join(', ');
          this.#scheduler.tell(() => `    the answer to the person: ${answer.status} ${shown}${answer.error ?? ''}`);
        },
        (error: unknown) => {
          if (!(error instanceof ImpossibleInteraction)) throw error;
          this.#scheduler.tell(() => `    it cannot be done: ${error.message}`);
        },
      )
      .finally(() => {
        this.#waiting -= 1;
      });
  }
}

function isForm({ blocks }: OpenView['view']): boolean {
  return blocks.some(({ type }) => type === 'input');
}
