/** What is to be put back when the process ends, however it comes to that short of a kill. */

const actions = new Set<() => void>()

/** Runs `action` when the process exits, unless the function that is returned is called before. */
export function atExit(action: () => void): () => void {
  // One listener for all: Node warns of more than ten.
  if (actions.size === 0) process.on('exit', runAll)
  actions.add(action)
  return () => {
    if (actions.delete(action) && actions.size === 0) process.off('exit', runAll)
  }
}

function runAll(): void {
  const failures: unknown[] = []
  for (const action of actions) {
    try {
      action()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
