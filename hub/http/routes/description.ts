/** The API described by itself: for machines and for people. */
import { z } from "zod";
import { flat, html } from "../answer.ts";
import { DOCS_POLICY, docsPage } from "../docs-page.ts";
import { describeRoutes } from "../openapi.ts";
import { openRoute, type Route } from "../route.ts";

/** `routes` is asked for when the page is, because the table holds these two as well. */
export const descriptionRoutes = (routes: () => Route[]): Route[] => [
  openRoute({
    method: "get",
    path: "/openapi.json",
    summary: "This API as OpenAPI 3.1",
    scope: "local or read",
    envelope: false,
    response: z.looseObject({ openapi: z.string() }),
    handle: (_input, { version }) => flat(describeRoutes(routes(), version)),
  }),
  openRoute({
    method: "get",
    path: "/docs",
    summary: "This API as a page",
    scope: "local or read",
    envelope: false,
    response: "bytes",
    handle: (_input, { version }) =>
      html(docsPage(routes(), version), { "Content-Security-Policy": DOCS_POLICY }),
  }),
];
