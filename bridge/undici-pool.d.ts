/** The one part of undici that is used, by the path of its file; its types are the package's own. */
declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}
