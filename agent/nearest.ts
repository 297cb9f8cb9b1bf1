/** The known word that somebody who misspelt one most likely meant. */

/** Edits that still count as a slip. */
const MOST_EDITS = 2
const LONGEST = 64

/** @returns undefined when none is near */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined
  const plain = word.toLowerCase().replaceAll('_', '-')
  const [best] = known
    .map((name) => ({ name, edits: distance(plain, name) }))
    .filter(({ name, edits }) => edits <= Math.min(MOST_EDITS, Math.floor(name.length / 2)))
    .sort((a, b) => a.edits - b.edits)
  return best?.name
}

/** Characters to insert, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
