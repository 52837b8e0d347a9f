/** The parts of EDF+'s patient and recording fields, which anonymised files leave out one by one with an X. */

/** EDF+ 2.1.3.3, item 3. A part is undefined where the file has X for it. */
export interface PatientIdentification {
  readonly code: string | undefined;
  readonly sex: 'F' | 'M' | undefined;
  /** `1951-05-02`. */
  readonly birthdate: string | undefined;
  readonly name: string | undefined;
  /** What follows, if anything. */
  readonly additional: string | undefined;
}

/** EDF+ 2.1.3.3, item 4. */
export interface RecordingIdentification {
  /** `2002-03-02`. */
  readonly startDate: string | undefined;
  readonly administrationCode: string | undefined;
  readonly technician: string | undefined;
  readonly equipment: string | undefined;
  readonly additional: string | undefined;
}

/** Parts of a patient field: `MCH-0234567 F 02-MAY-1951 Haagse_Harry`. Underscores stand for blanks. */
export function patientOf(field: string): PatientIdentification {
  const [code, sex, birthdate, name, ...additional] = field.split(/ +/);
  return {
    code: known(code),
    sex: sex === 'F' || sex === 'M' ? sex : undefined,
    birthdate: calendarDate(birthdate),
    name: known(name),
    additional: known(additional.join(' ')),
  };
}

/** Parts of a recording field, `Startdate 02-MAR-2002 EMG561 BK/JOP Sony.`; undefined where it does not begin so. */
export function recordingOf(field: string): RecordingIdentification | undefined {
  const [word, startDate, administrationCode, technician, equipment, ...additional] = field.split(/ +/);
  if (word !== 'Startdate') return undefined;
  return {
    startDate: calendarDate(startDate),
    administrationCode: known(administrationCode),
    technician: known(technician),
    equipment: known(equipment),
    additional: known(additional.join(' ')),
  };
}

function known(part: string | undefined): string | undefined {
  return part === undefined || part === '' || part === 'X' ? undefined : part.replaceAll('_', ' ');
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function calendarDate(part: string | undefined): string | undefined {
  const [, day, month, year] = /^(\d\d)-([A-Z]{3})-(\d{4})$/i.exec(part ?? '') ?? [];
  const number = MONTHS.indexOf((month ?? '').toUpperCase()) + 1;
  const date = `${year}-${String(number).padStart(2, '0')}-${day}`;
  return isDate(date) ? date : undefined;
}

/** Whether there is such a day in the calendar. */
export function isDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
