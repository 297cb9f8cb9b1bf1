/** Copies of frames that are about to be changed while the originals are queued elsewhere. */
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { MAX_SUPER_FRAME } from '#net/port/port.ts'
import { copySum, WordView } from '#net/wire/copy-sum.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

/** Before each copy: its virtio header, room for the tag that is put in here and for one more. */
const ROOM = 2 * TAG_ROOM + VIRTIO_HEADER_LEN

export class FrameCopies {
  readonly memory: FrameMemory
  private readonly output: WordView
  /** Views of the memories that frames came from. */
  private readonly views = new WeakMap<FrameMemory, WordView>()
  private used = 0

  /** @param memory  room for the largest super-frame at least; the copies' alone */
  constructor(memory: FrameMemory) {
    if (memory.bytes.length < MAX_SUPER_FRAME + 64) throw new RangeError('frame memory too small for copies')
    this.memory = memory
    this.output = new WordView(memory.bytes)
  }

  /** True when a frame of so many octets can be copied before the next `reset`. */
  hasRoom(octets: number): boolean {
    return this.used + ROOM + octets + 4 <= this.memory.bytes.length
  }

  /** Copies a frame with its virtio header, if `hasRoom` for it. @returns its start in `memory`. */
  copy(memory: FrameMemory, start: number, end: number): number {
    let view = this.views.get(memory)
    if (view === undefined) {
      view = new WordView(memory.bytes)
      this.views.set(memory, view)
    }
    // Words line up, so that the copy goes by words.
    const to = this.used + ROOM + ((start - this.used - ROOM) & 3)
    copySum(view, start - VIRTIO_HEADER_LEN, end, this.output, to - VIRTIO_HEADER_LEN)
    this.used = to + (end - start)
    return to
  }

  /** Forgets the copies: they may be overwritten from now on. */
  reset(): void {
    this.used = 0
  }
}
