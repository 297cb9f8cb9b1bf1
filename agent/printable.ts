/** Text from the hub before it is shown: control characters, which a terminal would obey, are taken out. */
export const printable = (text: string, longest = 300): string =>
  text
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, longest)
