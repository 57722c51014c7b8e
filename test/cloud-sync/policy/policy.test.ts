// On one database: opening it takes longer than most of what is tried on it.
import './policy-draft.js';
import './people-import.js';
import './policy-desk.js';
import './policy-routes.js';
