/**
 * Schedules and special days as iCalendar (RFC 5545): import with recurrence, export in the form of ONVIF Schedule.
 * @packageDocumentation
 */
export { CALENDAR_LENGTH_MAX } from './calendar-file.js';
export { exportSchedule, exportSpecialDays } from './export-calendar.js';
export { importSchedule, importSpecialDays, type Imported, type ImportOptions } from './import-calendar.js';
