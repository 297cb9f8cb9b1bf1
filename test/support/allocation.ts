/** Heap octets that one call of `f` leaves behind: the least of several rounds, as other code allocates too. */
export function bytesPerCall(f: () => void, calls = 100_000, rounds = 6): number {
  let least = Infinity
  for (let r = 0; r < rounds; r++) {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < calls; i++) f()
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls)
  }
  return least
}
