/** Codes of the link between a gateway and the cloud. */
export const LINK_ERRORS = {
  ERR_LINK_ACKNOWLEDGEMENT_INVALID: {
    meaning: 'What came as an acknowledgement of the cloud is not signed by the key that the cloud has for this site.',
    action:
      'It is ignored and counted. If it goes on, enrol the gateway again if the keys of the cloud were lost, and look who else speaks on the broker.',
  },
  ERR_LINK_REQUEST_INVALID: {
    meaning:
      'What came as a request of the cloud is not signed by the key that the cloud has for this site, or is for another gateway.',
    action: 'It is ignored and counted. If it goes on, look who else speaks on the broker.',
  },
  ERR_LINK_ANSWER_INVALID: {
    meaning: 'What came as the answer of a gateway to a request is not signed by it.',
    action:
      'It is ignored and counted: the request is shown as unheard. If it goes on, look who else speaks on the broker.',
  },
  ERR_LINK_REQUEST_UNKNOWN: {
    meaning: 'The cloud asks a gateway for something that its version does not know.',
    action: 'Update the gateway, or do it at the gateway.',
  },
  ERR_LINK_BUSY: {
    meaning:
      'As many requests as one process of the cloud keeps wait for answers: of this gateway, of this tenant, or of all.',
    action: 'Try again after a moment. If it goes on, look which gateways do not answer, or add processes.',
  },
} as const;
