/** Codes of the simulator. */
export const SIMULATOR_ERRORS = {
  ERR_SIMULATOR_LINE: {
    meaning: 'A simulated serial line could not be made, or ended.',
    action: 'Install socat, or let the simulator use TCP (`npm start -- --tcp`).',
  },
  ERR_SIMULATOR_PORT_IN_USE: {
    meaning: 'Another program listens on the port of a page.',
    action: 'Stop the other program, or choose another port (`npm start -- --port 8081`).',
  },
  ERR_SIMULATOR_GATEWAY_ENDED: {
    meaning:
      'A gateway of the demo site, or its cloud, ended or did not become ready in time, or a command for it failed.',
    action: 'Read what is shown of its log, or of what the command said. Removing the demo folder starts over.',
  },
  ERR_SIMULATOR_CLOUD_REFUSED: {
    meaning: 'The cloud of the demo site refused what the start of the demo asks of it.',
    action: 'Read what it answered, and its log in the demo folder. Removing the demo folder starts over.',
  },
  ERR_SIMULATOR_SCENARIO: {
    meaning: 'Something that a scenario waits for did not come about in time.',
    action: 'Play it again while the machine has less to do; the logs of the gateways say what they did.',
  },
  ERR_SIMULATOR_DEMO_FOLDER: {
    meaning: 'The demo folder holds a site file or keys that cannot be used.',
    action: 'Remove the folder; it is made again.',
  },
  ERR_SIMULATOR_REFUSED: {
    meaning: 'A page that is not the console, or a host that is not loopback, asked the simulator for something.',
    action: 'Open the console at the address that `npm start` prints.',
  },
  ERR_SIMULATOR_NOT_FOUND: {
    meaning: 'The simulated site has no reader, door, card, gateway or cable of that id.',
    action: 'Use the ids that GET /site of the simulator lists.',
  },
  ERR_SIMULATOR_DOOR_LOCKED: {
    meaning: 'The simulated door did not open, because its lock holds it.',
    action: 'Present a card with a right first, or force the door.',
  },
} as const;
