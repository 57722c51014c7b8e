/** Codes of the host that authorises passages. */
export const HOST_ERRORS = {
  ERR_HOST_NOT_CONFIGURED: {
    meaning: 'An access point asks a host, and the gateway configuration names none.',
    action:
      'Add `host` to the gateway configuration and restart the gateway; until then the fallback of the access point holds.',
  },
  ERR_HOST_UNREACHABLE: {
    meaning: 'The host could not be asked: no connection, no trust in its certificate, or a status other than 200.',
    action: 'Check address, certificate and token of `host` in the gateway configuration, and the host itself.',
  },
  ERR_HOST_TIMEOUT: {
    meaning: 'The host did not answer within the time that the access point gives it.',
    action: 'Check the host and the network; the fallback of the access point holds meanwhile.',
  },
  ERR_HOST_MALFORMED: {
    meaning: 'The host answered something else than `{ "decision": "allow" }` or `{ "decision": "deny" }`.',
    action: 'Correct the host; what it says otherwise counts as no answer.',
  },
  ERR_HOST_BUSY: {
    meaning: 'As many questions to the host are under way as the gateway allows, so one was not asked.',
    action: 'Find out why the host answers slowly; the fallback of the access point holds meanwhile.',
  },
} as const;
