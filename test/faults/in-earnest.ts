/** Tests of faults run on every change with times cut short; `npm run faults` lets them last as long as they would. */
export const IN_EARNEST = { FAULT_IN_EARNEST: "1" };

export const isInEarnest = (): boolean => process.env["FAULT_IN_EARNEST"] === "1";
