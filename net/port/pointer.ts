/** Addresses in structures of system calls, of x86-64 and arm64. */
import { putU32le } from '#net/wire/octets.ts'

export function putPointer(bytes: Uint8Array, at: number, address: number): void {
  putU32le(bytes, at, address >>> 0)
  putU32le(bytes, at + 4, Math.floor(address / 0x1_0000_0000))
}
