/** A switch with memory ports, and frames written as text, for tests. */
import { MemoryPort, type MemoryPortOptions } from '#net/port/memory.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'

export const BROADCAST = 0xffff_ffff_ffff
/** Unicast address number `n`. */
export const host = (n: number): number => 0x0200_0000_0000 + n

/**
 * A frame with tags written as `8100.10` or, with a priority, `8100.10p5`, outermost first.
 * @param body  octets from the EtherType on
 */
export function frameOf(to: number, from: number, tags: string, body: Uint8Array = BODY): Uint8Array {
  const words = tags.split(' ').filter((tag) => tag !== '')
  const head = words.map((tag) => {
    const [, tpid = '', vid = '', priority = '0'] = /^([0-9a-f]{4})\.(\d+)(?:p(\d))?$/.exec(tag) ?? []
    return tpid + ((Number(priority) << 13) | Number(vid)).toString(16).padStart(4, '0')
  })
  const hex = to.toString(16).padStart(12, '0') + from.toString(16).padStart(12, '0') + head.join('')
  return Uint8Array.from([...Buffer.from(hex, 'hex'), ...body])
}

const BODY = Uint8Array.from([0x08, 0x00, ...Array.from({ length: 46 }, (_, i) => i + 1)])

/** The tags of a frame as `frameOf` takes them; throws when what follows is not the usual body. */
function tagsOf(octets: Uint8Array): string {
  const b = Buffer.from(octets)
  const tags: string[] = []
  let i = 12
  for (; ['8100', '88a8', '9100', '9200'].includes(b.toString('hex', i, i + 2)); i += 4) {
    const tci = b.readUInt16BE(i + 2)
    tags.push(`${b.toString('hex', i, i + 2)}.${tci & 0xfff}${tci >>> 13 === 0 ? '' : `p${tci >>> 13}`}`)
  }
  if (!b.subarray(i).equals(BODY)) throw new Error(`not the usual body: ${b.toString('hex')}`)
  return tags.join(' ')
}

export interface LabPort {
  readonly mode?: string
  readonly options?: MemoryPortOptions
}

export class SwitchLab {
  readonly bridge: Switch
  readonly entries: SwitchPort[]
  readonly ports: MemoryPort[]

  constructor(ports: readonly (LabPort | string)[], maxAddresses = 1024) {
    this.bridge = new Switch({ name: 'lab', hashSeed: 1, maxAddresses })
    this.entries = ports.map((port) => {
      const mode = typeof port === 'string' ? port : (port.mode ?? 'mode=transparent')
      return this.bridge.addEntry(undefined, parsePortMode(mode))
    })
    this.ports = this.entries.map((entry, i) => {
      const given = ports[i]
      const port = new MemoryPort(entry.counters, entry, typeof given === 'object' ? given.options : {})
      entry.connect(port)
      return port
    })
  }

  /** Port and entry `n`, from 1. */
  port(n: number): MemoryPort {
    return this.ports[n - 1] ?? missing(n)
  }

  entry(n: number): SwitchPort {
    return this.entries[n - 1] ?? missing(n)
  }

  /** What each port was sent since the last call, in the order of the ports. */
  take(): Uint8Array[][] {
    return this.ports.map((port) => port.take())
  }

  /** Injects a frame at port `n`. @returns the tags of what each port was sent; null: nothing */
  tagsAfter(n: number, frame: Uint8Array): (string | null)[] {
    this.port(n).inject(frame)
    return this.take().map((sent) => (sent.length === 0 ? null : sent.map(tagsOf).join(' | ')))
  }
}

function missing(n: number): never {
  throw new Error(`no port ${n}`)
}
