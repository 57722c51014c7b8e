/** Codes of the HTTP APIs of a gateway and of the cloud, and of their consoles. */
export const API_ERRORS = {
  ERR_API_NOT_FOUND: {
    meaning: 'The API has nothing at this address, or not for this method.',
    action: 'Check the address, and ids in it.',
  },
  ERR_API_DIRECTIVE_UNKNOWN: {
    meaning: 'No ledger that this gateway holds carries the directive, or it was given long before many others.',
    action: 'Check the id; ask the gateway at which the directive was given.',
  },
  ERR_API_REQUEST_INVALID: {
    meaning: 'A request to the API is malformed, or a parameter is out of range.',
    action: 'Correct the parameter named in the message.',
  },
  ERR_API_BODY_SLOW: {
    meaning: 'The body of a request came too slowly, or stopped in the middle.',
    action: 'Try again over a better line: a mebibyte has to come within 30 s, or all of it.',
  },
  ERR_API_HOST_REFUSED: {
    meaning:
      'The request names a host that is no loopback name; a web page elsewhere may have been misled to this API.',
    action: 'Open the console as http://127.0.0.1:PORT or http://localhost:PORT, through a tunnel if need be.',
  },
  ERR_API_STARTING: {
    meaning: 'The API runs, but has not heard the state of the site yet.',
    action: 'Wait a moment. If it stays so, see the log of the gateway.',
  },
  ERR_API_FIELD_SILENT: {
    meaning: 'The API has heard nothing from the gateway for too long; what it shows is old.',
    action: 'See the log of the gateway; restart the gateway if its doors do not answer cards.',
  },
  ERR_API_STREAMS_MAX: {
    meaning: 'As many live streams are open as the API allows.',
    action: 'Close consoles that nobody watches.',
  },
  ERR_API_ADDRESS_TAKEN: {
    meaning: 'The address or port of the API is in use, or this machine does not have it.',
    action:
      'Stop the other program, or choose another `api.port`. It is tried again by itself; doors are not concerned.',
  },
  ERR_API_LOGIN_REFUSED: {
    meaning: 'Nobody who may log in has this name and this password.',
    action: 'Check both. Whoever is barred asks an administrator of the tenant.',
  },
  ERR_API_LOGIN_TOO_FAST: {
    meaning: 'After so many wrong passwords the next one is only taken after a while.',
    action: 'Wait as long as the answer says (`Retry-After`).',
  },
  ERR_API_TOKEN_REFUSED: {
    meaning: 'The request has no token, or one that is of a login that has ended.',
    action: 'Log in again. A refresh token that is used twice ends its login, for somebody else may have it.',
  },
  ERR_API_FORBIDDEN: {
    meaning: 'The role of this user does not allow it.',
    action: 'Ask an administrator of the tenant.',
  },
  ERR_API_INTERNAL: {
    meaning: 'A request failed by a defect of the API.',
    action: 'Doors are not concerned. Report it with the lines of the log around it.',
  },
} as const;
