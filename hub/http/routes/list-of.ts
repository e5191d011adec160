/** The schema of a list, as every list route answers it. */
import { z } from "zod";
import { paginationSchema } from "../../contract/resources.ts";
import { latestSeqSchema } from "../position.ts";

export const listOfSchema = (plural: string, item: z.ZodType) =>
  z.object({ [plural]: z.array(item), total: z.int(), pagination: paginationSchema });

/** A list that the event feed continues: with the place in the log from which on its rows may be stale. */
export const followedListOfSchema = (plural: string, item: z.ZodType) =>
  listOfSchema(plural, item).extend({
    latestSeq: latestSeqSchema,
  });
