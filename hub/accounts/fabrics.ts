/** The forwarding processes of the hub as operators and gateways ask them: its own, and one for each running topology. */
import { ProtocolError, reasonOf, SystemError } from '#net/base/errors.ts'
import type { RpcParams } from '#net/base/rpc.ts'
import {
  type BridgeNames,
  type FoundBridge,
  findBridge,
  type NamedTopology,
} from '#hub/accounts/bridge-names.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'

/** For each of several that are asked at once. */
const EACH_TIMEOUT_MS = 5000

export interface AwayFabric {
  /** '': the hub's own. */
  readonly topology: string
  readonly reason: string
}

export interface FabricAnswer {
  /** '': the hub's own. */
  readonly topology: string
  readonly answer: unknown
}

export interface FabricsOptions {
  /** Bridges of `hybridge serve --bridge`. */
  readonly hub: readonly string[]
  /** Those that run now. */
  readonly topologies: () => readonly NamedTopology[]
  /** Asks one fabric; undefined: the hub's own. */
  readonly call: (
    topology: string | undefined,
    op: string,
    params: RpcParams,
    timeoutMs?: number,
  ) => Promise<unknown>
}

export class Fabrics {
  readonly #options: FabricsOptions

  constructor(options: FabricsOptions) {
    this.#options = options
  }

  get names(): BridgeNames {
    return { hub: this.#options.hub, topologies: this.#options.topologies() }
  }

  /** @param user  undefined: an operator @throws ProtocolError, see `findBridge` */
  find(name: string, user: string | undefined): FoundBridge {
    return findBridge(name, user, this.names)
  }

  /**
   * Asks the fabric of a bridge that an operator names; its refusals are passed on as they are.
   * @throws ProtocolError `unknown-bridge`, `ambiguous-bridge`, `fabric-away`, and those of the fabric
   */
  async ask(op: string, name: string, params: RpcParams): Promise<unknown> {
    const { bridge } = this.find(name, undefined)
    return await this.askOne(topologyOf(bridge), op, { ...params, bridge })
  }

  /** @param topology  undefined: the hub's own @throws ProtocolError `fabric-away`, and those of the fabric */
  async askOne(
    topology: string | undefined,
    op: string,
    params: RpcParams,
    timeoutMs?: number,
  ): Promise<unknown> {
    try {
      return await this.#options.call(topology, op, params, timeoutMs)
    } catch (error) {
      if (!isAway(error)) throw error
      const [whose, log] =
        topology === undefined ? ['', 'fabric'] : [` of the topology ${topology}`, `${topology}:fabric`]
      throw new ProtocolError(
        'fabric-away',
        `the forwarding process${whose} does not answer (${reasonOf(error)}); it is restarted when it fails: try again, or see log/${log}.log`,
        { cause: error },
      )
    }
  }

  /**
   * Asks them all at once. Those that do not answer in time are told apart.
   * @param paramsOf  what each is asked
   * @throws ProtocolError `fabric-away` when none answers, or a refusal of one of them
   */
  async askAll(
    op: string,
    paramsOf: (topology: string) => RpcParams = () => ({}),
    timeoutMs = EACH_TIMEOUT_MS,
  ): Promise<{ answers: FabricAnswer[]; away: AwayFabric[] }> {
    const answers: FabricAnswer[] = []
    const away: AwayFabric[] = []
    const names = [undefined, ...this.#options.topologies().map(({ name }) => name)]
    const settled = await Promise.allSettled(
      names.map((name) => this.askOne(name, op, paramsOf(name ?? ''), timeoutMs)),
    )
    for (const [i, result] of settled.entries()) {
      const topology = names[i] ?? ''
      if (result.status === 'fulfilled') answers.push({ topology, answer: result.value })
      else if (isAwayCode(result.reason)) away.push({ topology, reason: reasonOf(result.reason) })
      else throw result.reason
    }
    const [first] = settled
    if (answers.length === 0 && first?.status === 'rejected') throw first.reason
    return { answers, away }
  }
}

/** Rows of all answers. */
export const rowsOf = (answers: readonly FabricAnswer[]): unknown[] =>
  answers.flatMap(({ answer }) => (Array.isArray(answer) ? answer : []))

/** A call failed because nobody is there. */
const isAway = (error: unknown): boolean =>
  error instanceof SystemError || (error instanceof ProtocolError && error.code === 'disconnected')

const isAwayCode = (error: unknown): boolean =>
  error instanceof ProtocolError && (error.code === 'fabric-away' || error.code === 'timeout')
