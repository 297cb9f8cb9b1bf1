/** What is wrong with one direction of a link. What each does to frames: `#net/impairment/link-model.ts`. */

/** Two states of a link, and what is lost in each (Gilbert 1960, Elliott 1963). Percent. */
export interface Burst {
  /** A frame finds the link good, and leaves it bad. */
  readonly toBad: number
  /** A frame finds it bad, and leaves it good. */
  readonly toGood: number
  readonly lossInBad: number
  readonly lossInGood: number
}

export interface Impairment {
  readonly delayMs: number
  /** Half the width of a uniform distribution, or the standard deviation of a normal one. */
  readonly jitterMs: number
  readonly distribution: 'uniform' | 'normal'
  /** Percent, each frame by itself. */
  readonly loss: number
  readonly burst: Burst | null
  /** Percent. */
  readonly duplicate: number
  /** Percent: one bit of the frame is turned. */
  readonly corrupt: number
  /** Percent of frames that skip the delay; `jitter`: frames overtake each other as their delays have it. */
  readonly reorder: number | 'jitter'
  /** Only every so many frames one may skip the delay. */
  readonly gap: number
  /** Bit/s; 0: no limit. */
  readonly rate: number
  /** Octets that a frame takes beside its own. */
  readonly overhead: number
  /** What may wait for the rate; null: `DEFAULT_LIMIT_MS`, at least `LEAST_LIMIT_OCTETS`. */
  readonly limit: { readonly ms: number } | { readonly octets: number } | null
  /** Null: any. */
  readonly seed: number | null
}

export const DEFAULT_LIMIT_MS = 100
export const LEAST_LIMIT_OCTETS = 16_384

/** A link that is as it should be. */
export const PERFECT: Impairment = {
  delayMs: 0,
  jitterMs: 0,
  distribution: 'uniform',
  loss: 0,
  burst: null,
  duplicate: 0,
  corrupt: 0,
  reorder: 0,
  gap: 1,
  rate: 0,
  overhead: 0,
  limit: null,
  seed: null,
}
