/** Whether the process keeps up with its work: what can wait does so while it does not. */
export interface Pressure {
  /** How late the event loop was lately, at worst. */
  lagMs(): number;
  /** Beyond this healthy connections are in danger. Stays for a while, so that it does not flicker. */
  isHigh(): boolean;
}

export const noPressure: Pressure = { lagMs: () => 0, isHigh: () => false };
