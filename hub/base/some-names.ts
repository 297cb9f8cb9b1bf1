/** Names in a message for people, who read no thousand of them. */

const MOST = 20

/** `a, b and 980 others`; `none` */
export function someNames(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const rest = names.length - MOST
  return rest > 1 ? `${names.slice(0, MOST).join(', ')} and ${rest} others` : names.join(', ')
}
