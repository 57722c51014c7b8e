// On one database: opening it takes longer than most of what is tried on it.
import './policy-draft.js';
import './people-import.js';
import './people-table.js';
import './first-lines.js';
import './policy-desk.js';
import './absorbed.js';
import './large-draft.js';
import './changed-draft.js';
import './policy-routes.js';
