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
  ERR_LINK_TRIAL_PACE: {
    meaning: 'The cloud asks a gateway what it would decide more often than it answers.',
    action: 'Ask again after a second. Cards at the doors, and directives, are not kept waiting by it.',
  },
  ERR_LINK_BUSY: {
    meaning:
      'As many requests as one process of the cloud keeps wait for answers: of this gateway, of this tenant, or of all.',
    action: 'Try again after a moment. If it goes on, look which gateways do not answer, or add processes.',
  },
  ERR_LINK_UNREAD: {
    meaning: 'A gateway that has a link did not read what the cloud said to it; the rest is not said.',
    action:
      'Nothing is lost: it asks again. If it goes on, look at the gateway, or at the line between it and the broker.',
  },
  ERR_LINK_BROKER_UNREACHABLE: {
    meaning: 'The broker of `MQTT_URL` does not answer, refuses the cloud, or ends its connection.',
    action:
      'Check `MQTT_URL`, `MQTT_CA`, `MQTT_CERT` and `MQTT_KEY`, and whether the broker runs and lets the cloud hear. It is called again by itself; gateways keep what they have for the cloud.',
  },
  ERR_LINK_CERTIFICATE_INVALID: {
    meaning:
      'Somebody called the broker of the cloud with a certificate that it did not issue to a gateway, or with none.',
    action:
      'It is counted, and the call ends. If it goes on, look who calls: a gateway of another installation, or a scan of the network.',
  },
  ERR_LINK_NAME_FOREIGN: {
    meaning: 'A gateway called the broker of the cloud under a name that is not its own.',
    action: 'The call ends. No gateway does that by itself: look at the one whose certificate it was, or expel it.',
  },
  ERR_LINK_TOPIC_FOREIGN: {
    meaning: 'A gateway tried to speak or to hear on the broker what is not for it, or to leave something there.',
    action: 'Its link ends. No gateway does that by itself: look at the one whose certificate it was, or expel it.',
  },
  ERR_LINK_NOT_ADMITTED: {
    meaning: 'Whoever speaks to the cloud has no place in the site that it speaks for, or not any more.',
    action: 'Nothing is taken. Look where the gateway is if it was expelled; enrol it if it should belong to the site.',
  },
  ERR_LINK_PACKET_TOO_LONG: {
    meaning: 'A gateway announced a message to the broker that is longer than any of the link.',
    action: 'Its link ends. No gateway does that by itself: look at the one whose certificate it was, or expel it.',
  },
  ERR_LINK_FLOOD: {
    meaning: 'A gateway says more than the cloud takes from one gateway, or all of them more than one process takes.',
    action:
      'What is too much is dropped; gateways say it again. If it goes on with one gateway, look at it or expel it; with many, add processes.',
  },
  ERR_LINK_AUTHOR_FOREIGN: {
    meaning: 'A gateway carries the ledger of somebody who never belonged to its site.',
    action: 'Nothing of it is taken. Look at the gateway that carries it, or enrol the one whose ledger it is.',
  },
  ERR_LINK_AUTHOR_EXPELLED: {
    meaning: 'A gateway that was expelled wrote more than its site attested of it; a neighbour carries that on.',
    action: 'Nothing of it is taken. If it goes on to write, find the box: somebody has it, and it has power.',
  },
  ERR_LINK_HEAD_FORGED: {
    meaning: 'A gateway says to have entries of a ledger that its author did not sign.',
    action: 'Nothing of it is taken. No gateway does that by itself: look at the one that says it, or expel it.',
  },
  ERR_LINK_EMPTIED_EARLY: {
    meaning:
      'A gateway carries entries of another without what they said, and they are too young, or newer than this cloud, for anybody to have done away with that.',
    action:
      'They are not taken: whoever has all of it brings it. Look at the gateway that carries them, and at the one it has them from, or expel it. Where their author alone has all of it, give it a link of its own.',
  },
  ERR_LINK_MALFORMED: {
    meaning:
      'What a gateway said to the cloud is not what the protocol knows, or entries that do not prove themselves.',
    action:
      'It is dropped. If it goes on, compare the versions of gateway and cloud; then look at the gateway, or expel it.',
  },
} as const;
