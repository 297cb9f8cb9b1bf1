/** Completions in the shells that they are for, and manual pages in the programs that show and check them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pages } from '../../tool/package/pages.ts'

/** Words that a shell has so far, the last one unfinished, and what it is to offer: all of it, or at least these. */
const CASES: [line: string, offered: string[], isAll: boolean][] = [
  ['hybridge ', ['serve', 'user', 'show', 'completion'], false],
  ['hybridge user key ', ['add', 'list', 'remove'], true],
  ['hybridge --data /tmp user key ', ['add', 'list', 'remove'], true],
  ['hybridge user add --pass', ['--password-stdin'], true],
  ['hybridge serve --log ', ['trace', 'debug', 'info', 'warn', 'error', 'fatal'], true],
  ['hybridge user add ann --key WORK/mine', ['mine.pub'], true],
  ['hconnect -n l', ['lo'], false],
  ['hconnect -u ann --driver ', ['packet', 'pcap'], true],
  ['hconnect completion ', ['bash', 'zsh', 'fish'], true],
  ['hconnect --known', ['--known-hosts'], true],
]
const BASH = `source "$1"; source "$2"; shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"_$1"; printf '%s\n' "\${COMPREPLY[@]}"`
/** A terminal in which the line is typed, and a tab; the shell says when it is ready, and when it has shown all. */
const ZSH = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "stty columns 200; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -D -u; LISTMAX=0 PS1='REA''DY'"
zpty -w z "bindkey '^I' list-choices"
zpty -r -m z seen '*REA''DY*REA''DY*'
zpty -w -n z "$2"$'\\t'
zpty -w -n z $'\\C-u'"print DO''NE"$'\\n'
zpty -r -m z seen '*DONE*'
print -r -- $seen`

let work: string
const path = (file: string): string => join(work, file)
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'shells-'))
  for (const [file, text] of Object.entries(pages('1.2.3', '2026-01-02'))) {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), text)
  }
  writeFileSync(path('mine.pub'), '')
})
afterAll(() => rmSync(work, { recursive: true }))

const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, HOME: work, TERM: 'xterm' },
  })

const OFFERS = {
  bash: (line: string) => {
    const scripts = ['hconnect', 'hybridge'].map((name) =>
      path(`usr/share/bash-completion/completions/${name}`),
    )
    return run('bash', ['-c', BASH, 'bash', ...scripts, ...line.split(' ')]).split('\n')
  },
  fish: (line: string) => {
    const script = path(`usr/share/fish/vendor_completions.d/${line.split(' ', 1)[0]}.fish`)
    const text = run('fish', ['-c', 'source $argv[1]; complete -C $argv[2]', script, line])
    return text.split('\n').map((entry) => entry.split('\t', 1)[0] ?? '')
  },
  zsh: (line: string) => {
    const seen = run('zsh', ['-f', '-c', ZSH, 'zsh', path('usr/share/zsh/vendor-completions'), line])
    // Without what moves the cursor; descriptions are behind `--`.
    // oxlint-disable-next-line no-control-regex
    const text = seen.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, '\n')
    const list = text.slice(text.indexOf(line.trim()) + line.trim().length, text.indexOf("print DO''NE"))
    const words = list.split('\n').flatMap((entry) => (entry.split(/ +-- /, 1)[0] ?? '').split(/ {2,}/))
    return words.filter((word) => /^[-\w.=*]+$/.test(word))
  },
}

describe.each(['bash', 'fish', 'zsh'] as const)('%s', (shell) => {
  it.each(CASES)('completes "%s"', (line, offered, isAll) => {
    const words = OFFERS[shell](line.replace('WORK', work)).map((word) =>
      word.trim().replace(/^.*\/|=$|\*$/g, ''),
    )
    const got = [...new Set(words.filter((word) => word !== ''))].sort()
    expect(isAll ? got : got.filter((word) => offered.includes(word))).toEqual(offered.sort())
  })
})

describe.each(['hconnect', 'hybridge'])('%s(1)', (name) => {
  const file = (): string => path(`usr/share/man/man1/${name}.1`)

  it('has nothing that mandoc or groff would have otherwise', () => {
    expect(run('mandoc', ['-T', 'lint', '-W', 'style', file()])).toBe('')
    const warnings = execFileSync('sh', [
      '-c',
      'man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null',
      'sh',
      file(),
    ])
    expect(warnings.toString()).toBe('')
  })

  it('is shown with its options', () => {
    const text = run('sh', ['-c', 'MANWIDTH=80 man -l -Tutf8 "$1" | col -bx', 'sh', file()])
    expect(text).toMatch(/^NAME\n +\w+ +- +\w/m)
    expect(text).toMatch(/^ +--[a-z]+.* [A-Z]+$/m)
  })
})
