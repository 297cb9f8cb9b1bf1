/** Text that somebody else wrote, on its way to a terminal. */

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g
/** Text from elsewhere without what could steer a terminal. */
export const printable = (text: string): string => text.replace(CONTROL, '\ufffd')
