/** Settings of V8 for a process that octets stream through. */
import { setFlagsFromString } from 'node:v8'

/**
 * Buffers that come and go count as pressure on the heap, which V8 answers with a marking of the whole heap, bit by bit
 * beside the program: measured with bulk TCP, ten times a second and a quarter of the agent's processor time, with
 * nothing found. Without it, short-lived buffers go with the scavenges, and the heap is marked when it has grown.
 * Call once, at the start.
 */
export function tuneHeapForStreaming(): void {
  setFlagsFromString('--no-incremental-marking')
}
