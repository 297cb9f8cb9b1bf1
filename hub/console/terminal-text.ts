/** Control sequences of terminals, ECMA-48 and xterm's ctlseqs. */

/**
 * Puts a terminal back to what a program expects, whatever another one left: the main screen, soft reset (DECSTR), no
 * mouse reports, no bracketed paste, plain characters, a visible cursor. The screen's content stays.
 */
export const TERMINAL_RESET = '\x1b[?47l\x1b[!p\x1b[?1000;1002;1003;1006;2004l\x1b[0m\x1b[?25h'

/**
 * What a terminal answers as if it were typed: ENQ, DECID, DA, DSR, XTVERSION, DECREQTPARM, DECRQM, the keyboard's state,
 * reports of windows, colours (OSC), settings (DECRQSS, XTGETTCAP).
 */
const QUERY =
  // oxlint-disable-next-line no-control-regex
  /\x05|\x1bZ|\x1b\[[?>=]?[\d;]*[cn]|\x1b\[>[\d;]*q|\x1b\[[\d;]*[xt]|\x1b\[\??[\d;]*\$p|\x1b\[\?u|\x1b\][\d;]*\?(?:\x07|\x1b\\)|\x1bP[$+]q[^\x1b]{0,256}\x1b\\/g

/** Output without queries, to be shown again: what asked for an answer has had it, or waits no more. */
export const withoutQueries = (output: Buffer): Buffer =>
  Buffer.from(output.toString('latin1').replace(QUERY, ''), 'latin1')

/** What the hub says on a terminal that a device writes to. */
export const noticeOn = (text: string): Buffer => Buffer.from(`\r\n[${text.replaceAll('\n', '\r\n ')}]\r\n`)
