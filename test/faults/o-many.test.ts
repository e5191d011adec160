import { describeRow } from "./describe-row.ts";
import { MANY_ROW } from "./o-many-row.ts";

describeRow(MANY_ROW);
