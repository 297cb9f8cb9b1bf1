/** Rows of the VLAN table, read, and put to the pure switch. */
import { MemoryPort } from '#net/port/memory.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'
import { tpidClass } from '#net/switch/vlan.ts'
import { FLAG_NEEDS_CHECKSUM, GSO_TCPV4, headerLength, checksumStart } from '#net/wire/virtio.ts'
import { CASES, KINDS, MODES, MORE_CASES, TPID_CASES } from '#test/conformance/vlan-table.ts'
import { frameOfTags, parseTags, readTags } from '#test/conformance/tag-text.ts'

export interface VlanCase {
  /** Names of MODES. */
  readonly from: string
  readonly to: string
  /** What the operator writes behind `mode=`. */
  readonly fromMode: string
  readonly toMode: string
  readonly frame: string
  /** `10`, `88a8:10`, or `-`. */
  readonly vlan: string
  readonly leaves: string
  readonly clause: string
}

/** Each row, those that stand for several written out. */
export function vlanCases(): VlanCase[] {
  const others = ['88a8', '9100', '9200'].flatMap((tpid) => rowsOf(TPID_CASES, tpid))
  return [...rowsOf(CASES), ...rowsOf(MORE_CASES), ...others]
}

function rowsOf(table: string, tpid = ''): VlanCase[] {
  const filled = (text: string): string => text.replaceAll('X', tpid)
  const lines = table.split('\n').filter((line) => line !== '')
  return lines.flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    const [from = '', frame = '', vlan = '', to = '', leaves = '', clause = ''] = cells
    if (cells.length !== 6 || cells.includes('')) throw new Error(`not a row of six cells: ${line}`)
    const modeOf = (name: string): string => {
      const mode = MODES[name]
      if (mode === undefined) throw new Error(`no mode ${name}: ${line}`)
      return filled(mode)
    }
    return (to === 'any' ? KINDS : [to]).map((out) => ({
      from: filled(from),
      to: filled(out),
      fromMode: modeOf(from),
      toMode: modeOf(out),
      frame: filled(frame),
      vlan: filled(vlan),
      leaves: filled(leaves),
      clause,
    }))
  })
}

/** How a frame is put to the switch. */
export type Way =
  /** To all: nobody else is there. */
  | 'flood'
  /** To all, with ports of other modes that need the frame in other forms. */
  | 'crowd'
  /** To an address of the port out in the frame's VLAN, which is elsewhere in every other VLAN. */
  | 'unicast'
  /** A super-frame, to a port that takes it whole. */
  | 'super-frame'
  /** A super-frame, to a port that it is cut for. */
  | 'segments'

/** A frame whose headers cannot be found is no super-frame. */
export function waysOf({ frame }: VlanCase): Way[] {
  const plain: Way[] = ['flood', 'crowd', 'unicast']
  return /cut|9300/.test(frame) ? plain : [...plain, 'super-frame', 'segments']
}

export interface Outcome {
  readonly vlan: string
  readonly leaves: string
}

const BROADCAST = 0xffff_ffff_ffff
const SENDER = 0x0200_0000_0001
const RECEIVER = 0x0200_0000_0002
/** Ports beside the two, of no other TPID than 0x8100. */
const CROWD = ['transparent', 'access,vlan=10', 'trunk', 'tunnel,qnq=100', 'access,vlan=100']
const BODY = Uint8Array.from([0x08, 0x00, ...Array.from({ length: 46 }, (_, i) => i + 1)])
/** IPv4, TCP, and payload of three segments; checksum open. */
const IP_AND_TCP = 40
const SEGMENT = 1000
const PAYLOAD = 2500
const TCP_BODY = Uint8Array.from([
  ...Buffer.from('0800450009ec00004000400600000a0000010a000002', 'hex'),
  ...Buffer.from('03e807d000000001000000025010000000000000', 'hex'),
  ...Array.from({ length: PAYLOAD }, (_, i) => i & 255),
])

export function outcomeOf(row: VlanCase, way: Way): Outcome {
  const bridge = new Switch({ name: 'lab', hashSeed: 1, maxAddresses: 64 })
  const add = (mode: string, superFrames = true): { entry: SwitchPort; port: MemoryPort } => {
    const entry = bridge.addEntry(undefined, parsePortMode(`mode=${mode}`))
    const port = new MemoryPort(entry.counters, entry, { superFrames })
    entry.connect(port)
    return { entry, port }
  }
  const from = add(row.fromMode)
  const to = add(row.toMode, way !== 'segments')
  const bystanders = way === 'crowd' ? CROWD.map((mode) => add(mode)) : []
  if (way === 'unicast') {
    bystanders.push(add('transparent'))
    learnReceiver(bridge, row.vlan)
  }
  const destination = way === 'unicast' ? RECEIVER : BROADCAST
  const isSuper = way === 'super-frame' || way === 'segments'
  const frame = frameOfTags(destination, SENDER, row.frame, isSuper ? TCP_BODY : BODY)
  from.port.inject(frame, isSuper ? superHeader(parseTags(row.frame).tags.length) : {})
  const leaves =
    way === 'unicast' && (bystanders[0]?.port.sent.length ?? 0) > 0 ? 'flooded' : seenAt(to.port, way)
  const drops = [...dropsOf('in', from.entry), ...dropsOf('out', to.entry)]
  const vlan = learntIn(bridge)
  bridge.close()
  if (leaves === '-' && drops.length > 0) return { vlan, leaves: drops.join() }
  return { vlan, leaves: [leaves, ...drops].join(', ') }
}

/** The receiver is at port 2 in the VLAN, and at port 3 in all others of the table. */
function learnReceiver(bridge: Switch, vlan: string): void {
  const octets = Buffer.alloc(6)
  octets.writeUIntBE(RECEIVER, 0, 6)
  const own = vlan === '-' ? -1 : keyOf(vlan)
  for (const vid of [0, 1, 10, 20, 30, 40, 100, 4094, 4095])
    for (let family = 0; family < (vid === 0 ? 1 : 4); family++) {
      const key = (family << 12) | vid
      bridge.table.learn(octets, 0, key, key === own ? 2 : 3, 0)
    }
}

function keyOf(vlan: string): number {
  const [first = '', second] = vlan.split(':')
  return second === undefined ? Number(first) : (tpidClass(Number.parseInt(first, 16)) << 12) | Number(second)
}

function learntIn(bridge: Switch): string {
  const sender = bridge.addresses().filter(({ address }) => address === '02:00:00:00:00:01')
  return (
    sender.map(({ vlan, tpid }) => (tpid === 0x8100 ? `${vlan}` : `${tpid.toString(16)}:${vlan}`)).join() ||
    '-'
  )
}

const dropsOf = (way: 'in' | 'out', { counters }: SwitchPort): string[] =>
  Object.keys(counters.read()[`${way}Drops`]).map((reason) => `${way}:${reason}`)

const superHeader = (tags: number) => ({
  flags: FLAG_NEEDS_CHECKSUM,
  gsoType: GSO_TCPV4,
  headerLength: 14 + 4 * tags + IP_AND_TCP,
  gsoSize: SEGMENT,
  checksumStart: 14 + 4 * tags + 20,
  checksumOffset: 16,
})

/** The tags of what a port was sent, `-` for nothing; more words when anything else about it is not as it should be. */
function seenAt(port: MemoryPort, way: Way): string {
  const [first] = port.sent
  if (first === undefined) return '-'
  const { text, body } = readTags(first)
  if (way === 'segments') return `${text}${areSegments(port.sent, text) ? '' : ' in wrong segments'}`
  if (port.sent.length > 1) return `${text} ${port.sent.length} times`
  if (way !== 'super-frame') {
    const isWhole = Buffer.from(body).equals(text.endsWith('cut') ? Buffer.alloc(0) : BODY)
    return isWhole ? text : `${text} with another body`
  }
  const header = port.sentHeaders[0] ?? new Uint8Array(10)
  const start = 14 + 4 * parseTags(text).tags.length
  const isTrue = headerLength(header, 10) === start + IP_AND_TCP && checksumStart(header, 10) === start + 20
  return isTrue && Buffer.from(body).equals(TCP_BODY) ? text : `${text} with a wrong header or body`
}

function areSegments(frames: readonly Uint8Array[], text: string): boolean {
  const payloads = frames.map((frame) => readTags(frame).body.length - 2 - IP_AND_TCP)
  const areAlike = frames.every((frame) => readTags(frame).text === text)
  return areAlike && payloads.join() === [SEGMENT, SEGMENT, PAYLOAD - 2 * SEGMENT].join()
}
