/**
 * Decides when a port that is read frame by frame had better wait a little, so that more frames come at a time: as
 * network cards do that hold interrupts back. Only under a stream: turns that follow each other closely, of a few
 * frames each. One frame a turn is a conversation, which waiting would slow down; many need no help. Pure.
 */

/** Turns further apart than this are no stream. */
const CLOSE_MS = 0.5
/** So many turns in a row are one. */
const STREAM_TURNS = 8
/** Frames of a turn, in the mean: one at a time is a conversation. */
const FEWEST = 1.3
const MOST = 32

export class Moderation {
  #lastAt = -Infinity
  #frames = 0
  /** Frames of a turn, in the mean of the last ones. */
  #mean = 0.5
  #turns = 0

  /** A turn begins. @param now  ms @returns whether to wait first */
  begin(now: number): boolean {
    this.#mean += (this.#frames - this.#mean) / STREAM_TURNS
    this.#turns = now - this.#lastAt < CLOSE_MS ? this.#turns + 1 : 0
    this.#lastAt = now
    this.#frames = 0
    return this.#turns >= STREAM_TURNS && this.#mean >= FEWEST && this.#mean <= MOST
  }

  /** Frames were read in this turn. */
  read(frames: number): void {
    this.#frames += frames
  }
}
