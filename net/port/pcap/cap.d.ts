/** What we use of the package `cap`, which has no types. */
declare module 'cap' {
  export class Cap {
    /**
     * @param filter  in pcap-filter(7)'s language
     * @param ringOctets  of the memory that the kernel puts frames in
     * @param buffer  each frame is put at its start; only its address is kept, so it must stay referenced
     * @returns the link type: `ETHERNET`
     * @throws Error with libpcap's text
     */
    open(device: string, filter: string, ringOctets: number, buffer: Buffer): string
    /** @throws Error with libpcap's text */
    send(frame: Buffer, length: number): void
    on(event: 'packet', listener: (length: number, isCut: boolean) => void): void
  }
  const cap: { readonly Cap: typeof Cap }
  export default cap
}
