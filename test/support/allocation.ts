/**
 * Heap octets that one call of `f` leaves behind. The least of several rounds, as other code of the process allocates
 * too; rounds go on until one is clean, so that a busy machine does not show as garbage of `f`.
 */
export function bytesPerCall(f: () => void, calls = 100_000, rounds = 30): number {
  let least = Infinity
  for (let r = 0; r < rounds && least >= 1; r++) {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < calls; i++) f()
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls)
  }
  return least
}
