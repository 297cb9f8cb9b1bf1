/** `hybridge completion`: what a shell reads to complete the words of `hybridge`. */
import type { CommandModule } from 'yargs'
import { completionScript, type Shell, SHELLS } from '#net/cli/completion.ts'
import type { CommandDescription } from '#net/cli/description.ts'
import type { Context } from '#hub/command/context.ts'

export const completionCommand = (
  context: Context,
  program: () => CommandDescription,
): CommandModule<object, { shell: Shell }> => ({
  command: 'completion <shell>',
  describe: 'Print the completion script of a shell',
  builder: (yargs) =>
    yargs
      .positional('shell', { choices: SHELLS, demandOption: true, describe: 'The shell' })
      .example('source <($0 completion bash)', 'for this session of bash')
      .example('$0 completion fish | source', 'of fish'),
  handler: ({ shell }) => {
    context.stdout.write(completionScript(shell, program()))
  },
})
