/** What the hub wrote, for a line of a message: its beginning, without control characters, which a terminal would obey. */
export const excerpt = (text: string, longest = 300): string =>
  text
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, longest)
