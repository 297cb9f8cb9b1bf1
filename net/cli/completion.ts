/** Completion scripts for the words of a command line, by shell. */
import { bashCompletion } from '#net/cli/bash.ts'
import type { CommandDescription } from '#net/cli/description.ts'
import { fishCompletion } from '#net/cli/fish.ts'
import { zshCompletion } from '#net/cli/zsh.ts'

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }
export type Shell = keyof typeof SCRIPTS
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

export const completionScript = (shell: Shell, program: CommandDescription): string => SCRIPTS[shell](program)
