/** Codes of the OSDP codec and machines. */
export const OSDP_ERRORS = {
  ERR_OSDP_MALFORMED: {
    meaning: 'Bytes that are no valid OSDP frame.',
    action: 'Counted and dropped at the link. If it persists, check cabling, termination and baud rate.',
  },
  ERR_OSDP_LENGTH: {
    meaning: 'The payload of an OSDP message is too short or too long.',
    action: 'None if rare. If a device sends it always, report its model and firmware.',
  },
  ERR_OSDP_CODE_UNKNOWN: {
    meaning: 'An OSDP command or reply with a code that is not in the registry.',
    action: 'None: it is refused. If a device sends it always, report its model and firmware.',
  },
  ERR_OSDP_VALUE: {
    meaning: 'A field of an OSDP message is out of its range.',
    action: 'Correct the value named in the message; it was not sent.',
  },
  ERR_OSDP_KEY_WEAK: {
    meaning: 'A Secure Channel key that somebody could guess, such as a row of digits or an example from a manual.',
    action: 'Let the gateway make a random key. The weak one was neither used nor sent.',
  },
  ERR_OSDP_MAC: {
    meaning: 'A frame inside Secure Channel is not authentic.',
    action: 'The session is negotiated again. If it persists, look for a second device or an attack on the line.',
  },
  ERR_OSDP_CAPTURE: {
    meaning: 'A line of an osdpcap file that cannot be read.',
    action: 'Correct or remove the line named in the message; a last line that was cut short is passed over.',
  },
  ERR_OSDP_SILENT: {
    meaning: 'The device has not answered for too long.',
    action: 'Check its power, its wiring, its address and its baud rate.',
  },
  ERR_OSDP_GARBLED: {
    meaning: 'Something answers at the address, but never in a whole frame.',
    action: 'Check baud rate, termination and wiring; look for two devices at one address.',
  },
  ERR_OSDP_BUSY: {
    meaning: 'The device has answered nothing but BUSY for too long.',
    action: 'Check the device; somebody on the line can also send BUSY in its name.',
  },
  ERR_OSDP_LINE_DOWN: {
    meaning: 'The line to the device is down.',
    action: 'See the state of its bus.',
  },
  ERR_OSDP_KEY_REJECTED: {
    meaning: 'Device and gateway do not have the same Secure Channel key.',
    action: 'Correct the key in the configuration, or put the device into install mode and give it a new key.',
  },
  ERR_OSDP_SECURE_UNSUPPORTED: {
    meaning: 'Secure Channel is required by the configuration and the device does not know it.',
    action: 'Replace the device, or enable Secure Channel on it.',
  },
  ERR_OSDP_SECURE_REQUIRED: {
    meaning: 'The device insists on Secure Channel and the configuration says clear text.',
    action: 'Configure the key of the device.',
  },
  ERR_OSDP_SECURE_LOST: {
    meaning: 'A Secure Channel session that was up is gone.',
    action:
      'Treated as tamper. It is negotiated again by itself; find out whether the device was restarted or replaced.',
  },
  ERR_OSDP_CLEAR_REPLY: {
    meaning: 'A reply in clear text where Secure Channel is required. It was not used.',
    action: 'Treated as tamper: somebody may be speaking on the line in place of the device.',
  },
  ERR_OSDP_ADDRESS_CONFLICT: {
    meaning: 'Two devices seem to have one address, or another device answers than before.',
    action: 'Give each device its own address; if one was replaced, confirm that it was meant.',
  },
  ERR_OSDP_RESTARTED: {
    meaning: 'The session with the device was restarted while a command was under way.',
    action: 'None: the command is decided again where it still matters.',
  },
  ERR_OSDP_WINDOW_CLOSED: {
    meaning: 'The commissioning window has ended, and with it the session under the default key.',
    action: 'Open a commissioning window to give the device a key.',
  },
  ERR_OSDP_DEVIATION: {
    meaning: 'The device deviates from the standard in a way that is tolerated; the message says how.',
    action: 'None. Newer firmware of the device may do better.',
  },
  ERR_OSDP_DEADLINE: {
    meaning: 'A command was not executed before its deadline.',
    action: 'None if rare. Otherwise see the state of the device and the load of its bus.',
  },
  ERR_OSDP_QUEUE_FULL: {
    meaning: 'More commands wait for a device than its queue holds.',
    action: 'None if rare: the command was refused. Otherwise see the state of the device.',
  },
  ERR_OSDP_COMMAND_REFUSED: {
    meaning: 'A command that may not be sent in this state, such as a key in clear text.',
    action: 'See the message; it was not sent.',
  },
  ERR_OSDP_NAK: {
    meaning: 'The device refused a command; the number in the message is its reason.',
    action: 'See the documentation of the device: it may lack the output, LED or display.',
  },
  ERR_OSDP_FILE_REFUSED: {
    meaning: 'The device answers a file transfer with something that is no progress and no known refusal.',
    action: 'See the message; check that the device takes files of this type.',
  },
  ERR_OSDP_FILE_UNRECOGNISED: {
    meaning: 'The device does not recognise the content of the file.',
    action: 'Use the file that its maker published for exactly this model.',
  },
  ERR_OSDP_FILE_ABORTED: {
    meaning: 'The device has aborted the transfer of a file.',
    action: 'Start the transfer again; if it happens again, see the documentation of the device.',
  },
  ERR_OSDP_FILE_MALFORMED: {
    meaning: 'The device finds the transfer of a file malformed, from its beginning.',
    action: 'Report the model and firmware of the device, with a capture of its line.',
  },
  ERR_OSDP_FILE_STALLED: {
    meaning: 'The device has not answered a file transfer, or not finished with the file, for too long.',
    action: 'See the state of the device, then resume the transfer: it goes on where it ended.',
  },
} as const;
