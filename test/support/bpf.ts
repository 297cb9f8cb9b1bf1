/** Classic BPF programs run here as the kernel runs them on a received frame (linux/filter.h, net/core/filter.c). */
const STEPS = 4096
const ANCILLARY = 0xffff_f000
const PACKET_TYPE = ANCILLARY + 4

/**
 * @param program  an array of struct sock_filter
 * @param packetType  0: to this machine's own address, 1: broadcast, 2: multicast, 3: to another machine
 * @returns whether the kernel would hand the frame over
 */
export function runBpf(program: Uint8Array, frame: Uint8Array, packetType: number): boolean {
  const code = new DataView(program.buffer, program.byteOffset, program.length)
  const packet = new DataView(frame.buffer, frame.byteOffset, frame.length)
  const memory = new Uint32Array(16)
  let a = 0
  let x = 0
  let at = 0
  for (let step = 0; step < STEPS; step++) {
    const operation = code.getUint16(at, true)
    const value = code.getUint32(at + 4, true)
    const jump = (isTrue: boolean): number => code.getUint8(at + (isTrue ? 2 : 3)) * 8
    const from = operation === 0x20 ? value : x + value
    if (operation === 0x20 && value >= ANCILLARY) {
      if (value !== PACKET_TYPE) throw new Error(`ancillary load ${value.toString(16)}`)
      a = packetType
    } else if (operation === 0x20 || operation === 0x40) {
      if (from + 4 > frame.length) return false
      a = packet.getUint32(from)
    } else if (operation === 0x48) {
      if (from + 2 > frame.length) return false
      a = packet.getUint16(from)
    } else if (operation === 0x50) {
      if (from >= frame.length) return false
      a = packet.getUint8(from)
    } else if (operation === 0x00) a = value
    else if (operation === 0x80) a = frame.length
    else if (operation === 0x60) a = memory[value] ?? 0
    else if (operation === 0x01) x = value
    else if (operation === 0x02) memory[value] = a
    else if (operation === 0x04) a = (a + value) >>> 0
    else if (operation === 0x0c) a = (a + x) >>> 0
    else if (operation === 0x1c) a = (a - x) >>> 0
    else if (operation === 0x54) a = (a & value) >>> 0
    else if (operation === 0x64) a = (a << value) >>> 0
    else if (operation === 0x07) x = a
    else if (operation === 0x87) a = x
    else if (operation === 0x05) at += value * 8
    else if (operation === 0x15) at += jump(a === value)
    else if (operation === 0x35) at += jump(a >= value)
    else if (operation === 0x45) at += jump((a & value) !== 0)
    else if (operation === 0x06) return value > 0
    else throw new Error(`BPF operation ${operation.toString(16)}`)
    at += 8
  }
  throw new Error('the program does not end')
}
