/**
 * An assembler of classic BPF, the kernel's language for socket filters (linux/filter.h): an accumulator A, an index X,
 * 16 words of memory M, jumps forward only. A load from beyond the packet ends the program with 0.
 */
import { putU16le, putU32le, putU8 } from '#net/wire/octets.ts'

export const INSTRUCTION = 8
const MAX_INSTRUCTIONS = 4096
const MAX_CONDITIONAL_JUMP = 255

export const LOAD_WORD = 0x20 // A = packet[k], as the following ones big-endian
export const LOAD_WORD_X = 0x40 // A = packet[X + k]
export const LOAD_HALF_X = 0x48
export const LOAD_OCTET_X = 0x50
export const LOAD_CONSTANT = 0x00 // A = k
export const LOAD_LENGTH = 0x80 // A = octets of the packet
export const LOAD_MEMORY = 0x60 // A = M[k]
export const LOAD_X_CONSTANT = 0x01 // X = k
export const STORE = 0x02 // M[k] = A
export const ADD = 0x04 // A += k
export const ADD_X = 0x0c // A += X
export const SUBTRACT_X = 0x1c // A -= X
export const AND = 0x54 // A &= k
export const SHIFT_LEFT = 0x64 // A <<= k
export const TO_X = 0x07 // X = A
export const FROM_X = 0x87 // A = X
const JUMP = 0x05
export const JUMP_EQUAL = 0x15 // A === k
export const JUMP_AT_LEAST = 0x35 // A >= k, unsigned
export const JUMP_ANY_BIT = 0x45 // (A & k) !== 0
export const RETURN = 0x06 // octets of the packet to keep; 0 drops it

/** A place in the program that jumps lead to. */
export type Label = number

interface Instruction {
  readonly code: number
  readonly value: number
  readonly whenTrue: Label
  readonly whenFalse: Label
}

const NEXT: Label = -1

export class BpfAssembler {
  readonly #program: Instruction[] = []
  /** By label, the index of the instruction that it stands before. */
  readonly #places: number[] = []

  /** A label that is to be placed after the jumps to it. */
  label(): Label {
    return this.#places.push(NEXT) - 1
  }

  place(label: Label): void {
    this.#places[label] = this.#program.length
  }

  add(code: number, value = 0): void {
    this.#program.push({ code, value: value >>> 0, whenTrue: NEXT, whenFalse: NEXT })
  }

  /** A conditional jump, up to 255 instructions far; a side that is left out goes on with the next instruction. */
  test(code: number, value: number, { yes = NEXT, no = NEXT }: { yes?: Label; no?: Label }): void {
    this.#program.push({ code, value: value >>> 0, whenTrue: yes, whenFalse: no })
  }

  /** An unconditional jump, as far as it takes. */
  jump(label: Label): void {
    this.#program.push({ code: JUMP, value: 0, whenTrue: label, whenFalse: NEXT })
  }

  /**
   * The program as the kernel takes it, an array of struct sock_filter.
   * @throws RangeError when it is too long, a label is not placed, or a jump goes too far
   */
  assemble(): Uint8Array {
    const count = this.#program.length
    if (count > MAX_INSTRUCTIONS) throw new RangeError(`a BPF program of ${count} instructions`)
    const octets = new Uint8Array(count * INSTRUCTION)
    for (const [index, { code, value, whenTrue, whenFalse }] of this.#program.entries()) {
      const at = index * INSTRUCTION
      const isFar = code === JUMP
      putU16le(octets, at, code)
      putU8(octets, at + 2, isFar ? 0 : this.#distance(index, whenTrue, MAX_CONDITIONAL_JUMP))
      putU8(octets, at + 3, this.#distance(index, whenFalse, MAX_CONDITIONAL_JUMP))
      putU32le(octets, at + 4, isFar ? this.#distance(index, whenTrue, MAX_INSTRUCTIONS) : value)
    }
    return octets
  }

  #distance(from: number, label: Label, most: number): number {
    if (label === NEXT) return 0
    const distance = (this.#places[label] ?? NEXT) - from - 1
    if (distance < 0 || distance > most) throw new RangeError(`a BPF jump from ${from} over ${distance}`)
    return distance
  }
}
