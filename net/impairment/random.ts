/**
 * Random numbers that a seed repeats: sfc32, a small fast counting generator (C. Doty-Humphrey, PractRand). For models,
 * not for secrets. Allocates nothing.
 */
const TWO_TO_32 = 0x1_0000_0000
/** Numbers thrown away at the start, until seeds that differ in one bit have nothing in common. */
const WARM_UP = 16

export class Random {
  /** What was drawn last. A field, as V8 puts a fraction that a function returns on the heap. */
  deviation = 0.5
  private a: number
  private b: number
  private c = 0
  private counter = 1

  /** @param stream  one seed has as many sequences as there are streams */
  constructor(seed: number, stream: number) {
    this.a = seed | 0
    this.b = stream | 0
    for (let i = 0; i < WARM_UP; i++) this.bits()
  }

  /** 32 random bits, as a signed number. */
  bits(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum
  }

  /** True with a probability given in percent. */
  chance(percent: number): boolean {
    return (this.bits() >>> 0) * 100 < percent * TWO_TO_32
  }

  /** One of 0 to `count` - 1, each as likely. */
  below(count: number): number {
    return Math.floor(((this.bits() >>> 0) / TWO_TO_32) * count)
  }

  /** Draws a deviation between -1 and 1, evenly. */
  drawUniform(): void {
    this.deviation = (this.bits() >>> 0) / (TWO_TO_32 / 2) - 1
  }

  /** Draws a deviation of mean 0 and standard deviation 1 (Box and Muller 1958); within 6.7. */
  drawNormal(): void {
    const radius = Math.sqrt(-2 * Math.log(((this.bits() >>> 0) + 1) / TWO_TO_32))
    this.deviation = radius * Math.cos(((this.bits() >>> 0) / TWO_TO_32) * 2 * Math.PI)
  }
}
