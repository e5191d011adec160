/** Whoever reads a command's output may stop early (`| head`): then there is nobody to write to, and nothing went wrong. */
export function letReadersLeave(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}
