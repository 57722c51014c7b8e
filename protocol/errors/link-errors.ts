/** Codes of the link between a gateway and the cloud. */
export const LINK_ERRORS = {
  ERR_LINK_ACKNOWLEDGEMENT_INVALID: {
    meaning: 'What came as an acknowledgement of the cloud is not signed by the key that the cloud has for this site.',
    action:
      'It is ignored and counted. If it goes on, compare `uplink.cloudKey` of the configuration with the key that the cloud shows, and look who else speaks on the broker.',
  },
} as const;
