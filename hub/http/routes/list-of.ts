/** The schema of a list, as every list route answers it. */
import { z } from "zod";
import { paginationSchema } from "../../contract/resources.ts";

export const listOfSchema = (plural: string, item: z.ZodType) =>
  z.object({ [plural]: z.array(item), total: z.int(), pagination: paginationSchema });
