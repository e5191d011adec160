/** Whether the CRM is away or only fails with some clients: so many in a row, on whatever pages, with none in between that went well. */

export interface Outage {
  /** `isTelling`: it says something of the CRM, and not of this client alone. */
  failed(trouble: { isTelling: boolean }): void;
  /** The CRM wrote a client, or had its reasons not to. */
  reached(): void;
  isAway(): boolean;
}

const IN_A_ROW = 5;

export function createOutage(): Outage {
  let inARow = 0;
  return {
    failed: ({ isTelling }) => {
      if (isTelling) inARow += 1;
    },
    reached: () => {
      inARow = 0;
    },
    isAway: () => inARow >= IN_A_ROW,
  };
}
