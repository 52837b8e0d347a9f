/** Keeps many large bodies from filling the memory at once: only a few may grow beyond the size that files usually have. */

import type { BodyFlow } from './http_client.js';

/** A body may hold this much without asking. */
const FREE_BYTES = 1024 * 1024;

/** So many may be larger at the same time; the others pause until one of these has finished. */
const MAX_LARGE = 4;

/** One for all transfers of a run. */
export class BodyBudget {
  private large = 0;
  private readonly waiting = new Set<BodyAllowance>();

  /** The allowance of one body, to be closed when the transfer ends in whatever way. */
  allowance(flow: BodyFlow): BodyAllowance {
    return new BodyAllowance(flow, this);
  }

  /** True where the body may be large now; otherwise it is resumed when it may. */
  request(allowance: BodyAllowance): boolean {
    if (this.large < MAX_LARGE) {
      this.large += 1;
      return true;
    }
    this.waiting.add(allowance);
    return false;
  }

  /** Gives a large body's place to the one that has waited longest. */
  leave(allowance: BodyAllowance, wasLarge: boolean): void {
    this.waiting.delete(allowance);
    if (!wasLarge) return;
    const next = this.waiting.values().next().value;
    if (next === undefined) {
      this.large -= 1;
      return;
    }
    this.waiting.delete(next);
    next.grant();
  }
}

export class BodyAllowance {
  private readonly flow: BodyFlow;
  private readonly budget: BodyBudget;
  private state: 'small' | 'waiting' | 'large' | 'closed' = 'small';

  constructor(flow: BodyFlow, budget: BodyBudget) {
    this.flow = flow;
    this.budget = budget;
  }

  /** Tells how many bytes are held. */
  holds(bytes: number): void {
    if (bytes <= FREE_BYTES || this.state !== 'small') return;
    if (this.budget.request(this)) this.state = 'large';
    else {
      this.state = 'waiting';
      this.flow.pause();
    }
  }

  grant(): void {
    this.state = 'large';
    this.flow.resume();
  }

  close(): void {
    const wasLarge = this.state === 'large';
    this.state = 'closed';
    this.budget.leave(this, wasLarge);
  }
}
