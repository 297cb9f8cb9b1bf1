/** Timer parameters (IEEE Std 802.1D-2004 §17.13, Table 17-1), in 1/256 s as BPDUs have them. */

export interface Times {
  readonly messageAge: number
  readonly maxAge: number
  readonly helloTime: number
  readonly forwardDelay: number
}

/** 1 s. */
export const SECOND = 256
const MIN_HELLO = SECOND

export const DEFAULT_HELLO_S = 2
export const DEFAULT_MAX_AGE_S = 20
export const DEFAULT_FORWARD_DELAY_S = 15

/** Times of a bridge that is the root; arguments in seconds. */
export const rootTimes = (helloS: number, maxAgeS: number, forwardDelayS: number): Times => ({
  messageAge: 0,
  maxAge: maxAgeS * SECOND,
  helloTime: helloS * SECOND,
  forwardDelay: forwardDelayS * SECOND,
})

export const milliseconds = (time: number): number => (time * 1000) / SECOND

export const sameTimes = (a: Times, b: Times): boolean =>
  a.messageAge === b.messageAge &&
  a.maxAge === b.maxAge &&
  a.helloTime === b.helloTime &&
  a.forwardDelay === b.forwardDelay

/** Of a message, as they are recorded (§17.21.14): a Hello Time below the range would age the message at once. */
export const recordedTimes = (times: Times): Times =>
  times.helloTime >= MIN_HELLO ? times : { ...times, helloTime: MIN_HELLO }

/** Message Age of what is passed on: 1 s more, rounded to the nearest second (§17.21.25 c). */
export const olderTimes = (times: Times): Times => ({
  ...times,
  messageAge: Math.round((times.messageAge + SECOND) / SECOND) * SECOND,
})
