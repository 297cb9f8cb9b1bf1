import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Argv } from 'yargs'
import { completionScript, SHELLS } from '#net/cli/completion.ts'
import { allCommands, describeCommandLine } from '#net/cli/description.ts'
import { manualPage } from '#net/cli/manual.ts'
import { FILE, INTERFACE, oneOf } from '#net/cli/values.ts'
import { placesOf } from '#net/cli/words.ts'

const declare = (yargs: Argv): Argv =>
  yargs
    .scriptName('demo')
    .usage('Does $0 things.')
    .command('$0', 'does it')
    .command('set <what> [more]', "set it, don't ask", (set) =>
      set
        .positional('what', { choices: ['a', 'b'], describe: 'the thing' })
        .positional('more', { ...FILE, describe: 'a file' })
        .option('level', { alias: 'l', choices: ['low', 'high'], describe: 'how much [low]: `x`' })
        .example('$0 set a', 'sets a')
        .epilogue('Table:\n  a   1\n  b   2\n.dot\nEnd.'),
    )
    .command({
      command: 'group',
      describe: 'a group',
      builder: (group) => group.command('leaf', 'a leaf', (leaf) => leaf.hide('kind')).demandCommand(1),
      handler: () => {},
    })
    .options({
      nic: { ...INTERFACE, alias: ['n', 'card'], string: true, requiresArg: true, describe: 'which card' },
      kind: { ...oneOf(['x', 'y']), string: true, describe: '' },
      quiet: { boolean: true, describe: 'say less' },
      secret: { boolean: true, hidden: true },
    })
    .strict()
    .version('1')
    .alias('version', 'V')
    .help()

const program = describeCommandLine('demo', declare)

describe('describeCommandLine', () => {
  it('notes commands and what they hold', () => {
    expect(
      allCommands(program).map(({ path, synopsis, isRun }) => ({ path: path.join(' '), synopsis, isRun })),
    ).toEqual([
      { path: 'demo', synopsis: '', isRun: true },
      { path: 'demo set', synopsis: '<what> [more]', isRun: true },
      { path: 'demo group', synopsis: '', isRun: false },
      { path: 'demo group leaf', synopsis: '', isRun: true },
    ])
  })

  it('notes options with all names, long ones first, without hidden ones', () => {
    expect(
      program.options.map(({ names, placeholder, values }) => [names.join(' '), placeholder, values]),
    ).toEqual([
      ['--nic --card -n', 'NIC', 'interface'],
      ['--kind', 'x|y', ['x', 'y']],
      ['--quiet', '', undefined],
      ['--version -V', '', undefined],
      ['--help', '', undefined],
    ])
    expect(program.commands[0]?.words).toEqual([
      { name: 'what', describe: 'the thing', values: ['a', 'b'] },
      { name: 'more', describe: 'a file', values: 'file' },
    ])
  })
})

describe('completionScript', () => {
  it.each(SHELLS)('has every option and command: %s', (shell) => {
    const script = completionScript(shell, program)
    for (const { path, options } of allCommands(program)) {
      expect(script).toContain(path.at(-1))
      for (const name of options.flatMap(({ names }) => names))
        expect(script).toContain(
          shell === 'fish' ? ` ${name.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s ')} ` : name,
        )
    }
  })

  it('offers no option that is nothing to a command', () => {
    const offered = placesOf(program).map(({ words, options }) => [
      words,
      options.some(({ names }) => names.includes('--kind')),
    ])
    expect(offered).toEqual([
      ['', true],
      ['set', true],
      ['group', true],
      ['group leaf', false],
    ])
  })

  it('is a script that bash can read', () => {
    expect(execFileSync('bash', ['-n'], { input: completionScript('bash', program), encoding: 'utf8' })).toBe(
      '',
    )
  })
})

describe('manualPage', () => {
  const facts = {
    version: '1',
    date: '2026-01-02',
    purpose: 'do it',
    description: '',
    files: [],
    seeAlso: ['ls(1)'],
  }
  const page = manualPage(program, facts)

  it('has every option and command', () => {
    for (const { path, options } of allCommands(program).filter(({ isRun }) => isRun)) {
      expect(page).toContain(`\n.B ${path.join(' ')}\n`)
      for (const { names } of options)
        expect(page).toContain(names.map((name) => `\\fB${name.replaceAll('-', '\\-')}\\fR`).join(', '))
    }
  })

  it('leaves tables as they are, and makes no requests of text', () => {
    expect(page).toContain('Table:\n.PP\n.nf\n  a   1\n  b   2\n.fi\n.PP\n\\&.dot\n.PP\nEnd.\n')
    expect(page).toContain('.SS demo group leaf\nA leaf.\n.PP\nOf the options above: \\-\\-nic, \\-\\-quiet,')
    expect(page).toContain('how much [low]: \\(gax\\(ga\n')
  })
})
