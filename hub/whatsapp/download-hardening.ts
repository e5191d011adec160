/**
 * The library pipes what it downloads (files, history, synced state) and listens to no error of it: a file server that hangs up
 * in the middle would end the whole process. With this the end of the pipe fails in its place, where somebody waits for it.
 */
import { Readable, Stream } from "node:stream";

const fromWeb = Readable.fromWeb.bind(Readable);

/** As Node's own, but for `pipe`: a source that breaks takes its destination along, as `pipeline` would. */
Readable.fromWeb = (...source: Parameters<typeof fromWeb>): Readable => {
  const stream = fromWeb(...source);
  const pipe = stream.pipe.bind(stream);
  stream.pipe = (destination, options) => {
    stream.once("error", (cause) => {
      // The oldest interface of a destination does not say that it can be destroyed; all of Node's own can.
      if (destination instanceof Stream.Writable) destination.destroy(cause);
    });
    return pipe(destination, options);
  };
  return stream;
};
