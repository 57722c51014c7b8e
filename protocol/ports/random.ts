/** The only source of chance for the domain: cryptographically strong in `platform/`, seeded in the simulator. */
export interface Random {
  bytes(length: number): Uint8Array;
}
