import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { describeBridgeState } from "./bridge-state.ts";

describeBridgeState("memory", () => Promise.resolve({ state: createMemoryState(), reopen: null }));
