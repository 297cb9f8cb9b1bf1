/** The version of the package that this program came in. */
import manifest from '#package' with { type: 'json' }

/** The build puts it into the program. */
export const packageVersion = (): string => manifest.version
