/** Whether the hub is the one that the user means: its host key against known_hosts, as ssh does it. */
import type { ServerHostKeyAlgorithm } from 'ssh2'

import { EXIT_HOST_KEY, ExitError } from '#agent/exit-codes.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { readKnownHosts, rememberKey } from '#agent/login/known-hosts-file.ts'
import { checkKey, fingerprint, hostName, knownKeyTypes, typeOfKey } from '#agent/login/known-hosts.ts'
import type { Ask } from '#agent/login/terminal.ts'
import { reasonOf } from '#net/base/errors.ts'

const ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** known_hosts names no port where it is this one. */
const PORT_WITHOUT_NAME = 22

export interface HostKeyOptions {
  readonly host: string
  readonly port: number
  /** The name that known_hosts has, without a port (HostKeyAlias of ssh_config(5)); undefined: host and port. */
  readonly alias?: string | undefined
  /** What it is, for people. Default: `hub`. */
  readonly what?: string
  /** Read in this order; new keys go to the first. */
  readonly files: readonly string[]
  readonly acceptNew: boolean
  readonly log: (text: string) => void
}

export class HostKeyCheck {
  readonly #options: HostKeyOptions
  readonly #reported = new Set<string>()
  /** The key that was accepted in this run; a remembered one, should its file not be writable. */
  #accepted: Buffer | undefined

  constructor(options: HostKeyOptions) {
    this.#options = options
  }

  /** Where known_hosts has it. */
  get #place(): { host: string; port: number } {
    const { alias, host, port } = this.#options
    return alias === undefined ? { host, port } : { host: alias, port: PORT_WITHOUT_NAME }
  }

  /** Algorithms to offer: those of the keys that are known for the hub come first, as ssh does it. */
  algorithms(): ServerHostKeyAlgorithm[] {
    const { host, port } = this.#place
    const types = knownKeyTypes(this.#known(), host, port)
    const first = ALGORITHMS.filter((name) => types.includes(keyTypeOf(name)))
    return [...first, ...ALGORITHMS.filter((name) => !first.includes(name))]
  }

  /**
   * Judges the hub's key.
   * @param ask  undefined when nobody can be asked
   * @throws ExitError EXIT_HOST_KEY with the reason and what to do
   */
  async judge(key: Buffer, ask: Ask | undefined): Promise<void> {
    const { files } = this.#options
    const { host, port } = this.#place
    const hub = formatHubAddress(this.#options.host, this.#options.port)
    const print = `${typeOfKey(key)} ${fingerprint(key)}`
    const verdict = checkKey(this.#known(), host, port, key)
    switch (verdict.kind) {
      case 'match':
        break
      case 'changed': {
        const { entry } = verdict
        throw refusal(
          `the host key of ${hub} has CHANGED: it now shows ${print}, but ${entry.file}:${entry.line} has ` +
            `${entry.keyType} ${fingerprint(entry.key)}; somebody may be listening in. If the hub's operator confirms ` +
            `the new key, remove the old one with: ssh-keygen -f ${entry.file} -R '${hostName(host, port)}'`,
        )
      }
      case 'revoked':
        throw refusal(
          `the host key of ${hub}, ${print}, is revoked in ${verdict.entry.file}:${verdict.entry.line}`,
        )
      case 'unknown':
        if (this.#accepted?.equals(key) === true) break
        await this.#meet(key, hub, print, ask)
        this.#remember(key, hub, print, files[0])
    }
    this.#accepted = key
  }

  /** The hub is new: returns when its key is to be trusted. */
  async #meet(key: Buffer, hub: string, print: string, ask: Ask | undefined): Promise<void> {
    if (this.#options.acceptNew) return
    if (ask === undefined) {
      throw refusal(
        `the host key of ${hub} is not known: ${print}; ` +
          'connect once from a terminal, or use --accept-new if you trust the network',
      )
    }
    const question = `The ${this.#options.what ?? 'hub'} ${hub} is not known yet. Its key is ${print}.\nTrust it from now on? (yes, no, or the fingerprint you expect) `
    for (let tries = 0; tries < 3; tries++) {
      const answer = (await ask(question, false)).trim()
      if (answer.toLowerCase() === 'yes' || answer === fingerprint(key)) return
      if (answer.toLowerCase() === 'no') break
      if (answer.startsWith('SHA256:')) throw refusal(`the host key of ${hub} is ${print}, not ${answer}`)
    }
    throw refusal(`the host key of ${hub} was not accepted`)
  }

  #remember(key: Buffer, hub: string, print: string, file: string | undefined): void {
    if (file === undefined) return
    try {
      const { host, port } = this.#place
      rememberKey(file, host, port, key)
      this.#options.log(`the host key of ${hub}, ${print}, is now remembered in ${file}`)
    } catch (error) {
      this.#options.log(`the host key of ${hub} is trusted for this run only: ${reasonOf(error)}`)
    }
  }

  #known() {
    const known = readKnownHosts(this.#options.files)
    for (const problem of known.problems) {
      if (this.#reported.has(problem)) continue
      this.#reported.add(problem)
      this.#options.log(`skipped ${problem}`)
    }
    return known
  }
}

/** The type of key that an algorithm uses (RFC 8332: RSA keys have several). */
const keyTypeOf = (algorithm: string): string => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm)

const refusal = (message: string): ExitError => new ExitError(EXIT_HOST_KEY, message)
