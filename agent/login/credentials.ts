/**
 * Ways to prove who the user is, in ssh's order: keys of the ssh-agent, the identity file, the usual key files,
 * password. What worked is kept in memory, so that a reconnect asks nothing.
 */
import { readFileSync, statSync } from 'node:fs'

import ssh2, { type AnyAuthMethod, type ParsedKey } from 'ssh2'

import type { Ask } from '#agent/login/terminal.ts'
import { ConfigError, fileReasonOf } from '#net/base/errors.ts'

const MAX_TRIES = 3
const MAX_KEY_FILE = 1 << 20

export interface CredentialOptions {
  readonly user: string
  /** Where, for people who are asked for a password; default: the hub, which needs no name. */
  readonly at?: string
  /** A key file that must be there; tried before the others. */
  readonly identity: string | undefined
  /** Key files that are tried when they are there. */
  readonly identityFiles: readonly string[]
  /** Socket of the ssh-agent. */
  readonly agentSocket: string | undefined
  /** A password that was given and is not to be asked for. */
  readonly password: string | undefined
  readonly log: (text: string) => void
}

/** One thing to try: `prepare` may ask; undefined when it turns out that there is nothing to try. */
interface Attempt {
  readonly label: string
  /** SSH's names of the methods that it may be used with (RFC 4252 §5). */
  readonly methods: readonly string[]
  prepare(ask: Ask | undefined, allowed: readonly string[]): Promise<AnyAuthMethod | undefined>
}

/** Goes through the ways on one connection. */
export interface Login {
  /** @param allowed  methods that the hub still takes; undefined when it has not said. Undefined: nothing is left. */
  next(allowed: readonly string[] | undefined): Promise<AnyAuthMethod | undefined>
  /** What was tried, for people. */
  readonly tried: readonly string[]
  /** The last one was right: it alone is used from now on. */
  succeeded(): void
}

export class Credentials {
  readonly #options: CredentialOptions
  readonly #attempts: Attempt[] = []
  #worked: { label: string; method: AnyAuthMethod } | undefined

  /** @throws ConfigError when the identity file cannot be used */
  constructor(options: CredentialOptions) {
    this.#options = options
    const { agentSocket, identity, user, password } = options
    if (agentSocket !== undefined) this.#addAgent(agentSocket, user)
    if (identity !== undefined) this.#addKeyFile(identity, true)
    for (const file of options.identityFiles) if (file !== identity) this.#addKeyFile(file, false)
    if (password !== undefined) this.#addPassword('password', () => Promise.resolve(password))
    else for (let i = 0; i < MAX_TRIES; i++) this.#addPassword('password', this.#askPassword)
  }

  /** @param ask  undefined when nobody can be asked */
  login(ask: Ask | undefined): Login {
    const worked = this.#worked
    const queue: Attempt[] =
      worked === undefined
        ? [...this.#attempts]
        : [
            {
              label: worked.label,
              methods: [worked.method.type],
              prepare: () => Promise.resolve(worked.method),
            },
          ]
    const tried: string[] = []
    let last: { label: string; method: AnyAuthMethod } | undefined
    return {
      tried,
      next: async (allowed) => {
        for (;;) {
          const attempt = queue.shift()
          if (attempt === undefined) return undefined
          const usable = attempt.methods.map((name) => (name === 'agent' ? 'publickey' : name))
          if (allowed !== undefined && !usable.some((name) => allowed.includes(name))) continue
          const method = await attempt.prepare(ask, allowed ?? usable)
          if (method === undefined) continue
          if (!tried.includes(attempt.label)) tried.push(attempt.label)
          last = { label: attempt.label, method }
          return method
        }
      },
      succeeded: () => {
        this.#worked = last
      },
    }
  }

  #addAgent(agent: string, username: string): void {
    const method: AnyAuthMethod = { type: 'agent', username, agent }
    this.#attempts.push({
      label: 'ssh-agent',
      methods: ['publickey'],
      prepare: () => Promise.resolve(method),
    })
  }

  #addKeyFile(file: string, required: boolean): void {
    const text = this.#readKeyFile(file, required)
    if (text === undefined) return
    const key = parseKey(text)
    if (typeof key === 'string' && key !== ENCRYPTED) {
      if (required) throw new ConfigError(`cannot use ${file} as a private key: ${key}`)
      return
    }
    this.#attempts.push({
      label: file,
      methods: ['publickey'],
      prepare: async (ask) => {
        const open = typeof key === 'string' ? await this.#unlock(file, text, ask) : key
        return open && { type: 'publickey', username: this.#options.user, key: open }
      },
    })
  }

  #readKeyFile(file: string, required: boolean): Buffer | undefined {
    try {
      const { mode, size } = statSync(file)
      if (size > MAX_KEY_FILE) throw new RangeError('file too large')
      const text = readFileSync(file)
      if ((mode & 0o077) !== 0) this.#options.log(`${file} can be read by others than you; chmod 600 ${file}`)
      return text
    } catch (error) {
      if (!required) return undefined
      throw new ConfigError(`cannot read the identity file ${file}: ${fileReasonOf(error)}`, { cause: error })
    }
  }

  async #unlock(file: string, text: Buffer, ask: Ask | undefined): Promise<ParsedKey | undefined> {
    if (ask === undefined) {
      this.#options.log(`${file} is not tried: it has a passphrase and there is no terminal to ask for it`)
      return undefined
    }
    for (let i = 0; i < MAX_TRIES; i++) {
      const passphrase = await ask(`Passphrase of ${file} (empty to go without it): `, true)
      if (passphrase === '') return undefined
      const key = parseKey(text, passphrase)
      if (typeof key !== 'string') return key
    }
    return undefined
  }

  #addPassword(label: string, get: (ask: Ask | undefined) => Promise<string | undefined>): void {
    this.#attempts.push({
      label,
      methods: ['password', 'keyboard-interactive'],
      prepare: async (ask, allowed) => {
        const password = await get(ask)
        if (password === undefined) return undefined
        const username = this.#options.user
        if (allowed.includes('password')) return { type: 'password', username, password }
        return {
          type: 'keyboard-interactive',
          username,
          // A server that asks one thing this way asks for the password; more questions are not ours to answer.
          prompt: (_name, _instructions, _lang, prompts, finish) =>
            finish(prompts.length === 1 ? [password] : []),
        }
      },
    })
  }

  readonly #askPassword = (ask: Ask | undefined): Promise<string | undefined> =>
    ask === undefined ? Promise.resolve(undefined) : ask(`Password of ${this.#who}: `, true)

  get #who(): string {
    const { user, at } = this.#options
    return at === undefined ? user : `${user} at ${at}`
  }
}

const ENCRYPTED = 'it is encrypted'

/** @returns the key, or why there is none. */
function parseKey(text: Buffer, passphrase?: string): ParsedKey | string {
  const parsed: ParsedKey | ParsedKey[] | Error = ssh2.utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error) return /encrypted|passphrase/i.test(key.message) ? ENCRYPTED : key.message
  return key?.isPrivateKey() === true ? key : 'it is not a private key'
}
