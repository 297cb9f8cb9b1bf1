/**
 * Copies of frames, each a frame like any other with room for a tag and its virtio header before it, in native memory
 * that comes and goes in chunks: a chunk is given back when none of its frames is held any more. Frames that come
 * together leave together, so that little is held for long.
 */
import { copyFrame, FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const ROOM = TAG_ROOM + VIRTIO_HEADER_LEN
/** Octets of a chunk; the longest frame fits several times. */
const CHUNK = 1 << 18

export class FrameChunk {
  readonly memory = FrameMemory.native(CHUNK)
  /** Octet behind the last frame. */
  tail = 0
  /** Frames that are held. */
  frames = 0
}

export class FrameChunks {
  private readonly maxChunks: number
  /** In use, the one that is written to last. */
  private readonly chunks: FrameChunk[] = []
  /** An empty one, as the next is often needed when the last becomes free. */
  private spare: FrameChunk | null = null
  /** Where the frame that was added last begins; it ends with the chunk's tail. */
  start = 0

  /** @param maxOctets  of native memory, in chunks */
  constructor(maxOctets: number) {
    this.maxChunks = Math.max(1, Math.floor(maxOctets / CHUNK))
  }

  /** Octets of native memory that are held. */
  get octets(): number {
    return (this.chunks.length + (this.spare === null ? 0 : 1)) * CHUNK
  }

  /** Copies a frame with its virtio header. @returns the chunk that holds it, null when all memory is used */
  add(memory: FrameMemory, start: number, end: number): FrameChunk | null {
    let chunk = this.chunks[this.chunks.length - 1]
    if (chunk === undefined || chunk.tail + ROOM + end - start > CHUNK) {
      if (this.chunks.length === this.maxChunks || ROOM + end - start > CHUNK) return null
      chunk = this.spare ?? new FrameChunk()
      this.spare = null
      this.chunks.push(chunk)
    }
    this.start = chunk.tail + ROOM
    copyFrame(memory, start - VIRTIO_HEADER_LEN, end, chunk.memory, this.start - VIRTIO_HEADER_LEN)
    chunk.tail = this.start + end - start
    chunk.frames++
    return chunk
  }

  /** Gives back the chunks whose frames have all been let go (`frames--`), and are not being sent any more. */
  recycle(): void {
    let kept = 0
    for (let i = 0; i < this.chunks.length; i++) {
      const chunk = this.chunks[i]
      if (chunk === undefined) continue
      if (chunk.frames > 0) {
        this.chunks[kept++] = chunk
        continue
      }
      chunk.tail = 0
      if (this.spare === null) this.spare = chunk
      else chunk.memory.free()
    }
    this.chunks.length = kept
  }

  free(): void {
    for (const chunk of this.chunks) chunk.memory.free()
    this.spare?.memory.free()
    this.chunks.length = 0
    this.spare = null
  }
}
