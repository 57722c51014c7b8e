/** Codes of byte links and OSDP buses. */
export const BUS_ERRORS = {
  ERR_BUS_DEVICE_MISSING: {
    meaning: 'The serial device does not exist.',
    action:
      'Plug the adapter in and check its path; prefer the stable names under /dev/serial/by-id. It is opened when it appears.',
  },
  ERR_BUS_DEVICE_BUSY: {
    meaning: 'Another program holds the serial device.',
    action: 'Stop the other program (`fuser -v DEVICE` names it), or correct the path if two buses name one device.',
  },
  ERR_BUS_DEVICE_DENIED: {
    meaning: 'The gateway may not read and write the serial device.',
    action: "Add the gateway's user to the device's group (`dialout` on Debian), then start the gateway again.",
  },
  ERR_BUS_DEVICE_NOT_SERIAL: {
    meaning: 'The path names something that is no serial device.',
    action: 'Correct the path of the bus in the gateway configuration.',
  },
  ERR_BUS_DEVICE_UNPLUGGED: {
    meaning: 'The serial device vanished while it was open.',
    action: 'Check the USB cable and its power; the device is reopened when it returns.',
  },
  ERR_BUS_DEVICE_FAILED: {
    meaning: 'The operating system refused to open the serial device, for the reason in the message.',
    action: 'Check the adapter and its driver; opening is tried again by itself.',
  },
  ERR_BUS_TCP_REFUSED: {
    meaning: 'The TCP converter refuses the connection.',
    action: 'Check the port number, and that no other program uses the converter.',
  },
  ERR_BUS_TCP_UNREACHABLE: {
    meaning: 'The TCP converter cannot be reached, or its name cannot be resolved.',
    action: 'Check its address, its power and the network to it; connecting is tried again by itself.',
  },
  ERR_BUS_TCP_CLOSED: {
    meaning: 'The TCP converter closed the connection.',
    action: 'Check whether it restarted or another program took the connection; it is opened again by itself.',
  },
  ERR_BUS_BABBLING: {
    meaning: 'Bytes that belong to no reply keep coming in on a bus.',
    action: 'Check baud rate and termination; find the device that talks unasked by unplugging one after the other.',
  },
  ERR_BUS_CARD_DATA_UNSUPPORTED: {
    meaning: 'A reader sent card data in a form that is not read (formatted characters, or no bits). It was ignored.',
    action: 'Set the reader to send raw card bits (RAW, 0x50).',
  },
  ERR_BUS_DEVICE_UNKNOWN: {
    meaning: 'A command names a device that is on no bus of this gateway.',
    action: 'Compare the devices of the site file with the buses of the gateway configuration.',
  },
  ERR_BUS_ADDRESS_TAKEN: {
    meaning: 'An address is that of another device of the bus, which may not be disturbed.',
    action: 'Choose a free address, or take the other device out of the plan first.',
  },
  ERR_BUS_COMSET_UNDONE: {
    meaning: 'A device did not go to its new address or rate and is where it was.',
    action: 'Check that the device supports the rate, and see the message.',
  },
  ERR_BUS_COMSET_LOST: {
    meaning: 'A device answers neither at its new address and rate nor at its old ones.',
    action:
      'Look for it by discovery over all addresses and rates; if it does not answer at all, reset it to factory state.',
  },
  ERR_BUS_DEVICE_OFFLINE: {
    meaning: 'Something needs all devices of a bus, and some of them do not answer.',
    action: 'Bring the devices named in the message back, or take them out of the site file first.',
  },
  ERR_BUS_RATE_FIXED: {
    meaning: 'The rate of a line behind a TCP converter is set at the converter, not by the gateway.',
    action: 'Change the rate at the converter and in the configuration of the bus, or use a serial adapter.',
  },
  ERR_BUS_POLL_PERIOD: {
    meaning:
      'A bus with these devices at this rate polls each of them less than once a second: cards are read too late.',
    action: 'Raise the rate of the bus, or spread its devices over two buses.',
  },
} as const;
