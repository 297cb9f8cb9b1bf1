/**
 * Marks of options and words on a command line: what a shell may offer for their values. Spread into the declaration
 * that yargs gets, which does not look at them.
 */
export type Values = 'file' | 'directory' | 'interface' | readonly string[]

export const FILE = { values: 'file' } as const
export const DIRECTORY = { values: 'directory' } as const
/** Of the network. */
export const INTERFACE = { values: 'interface' } as const
/** For values that yargs is not to check. */
export const oneOf = (values: readonly string[]): { readonly values: readonly string[] } => ({ values })
