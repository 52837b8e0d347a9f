import { describe, expect, test } from 'vitest';
import { makeEdf } from '../../fixtures/eeg_recording.js';
import { bufferSource } from './byte_source.js';
import { openEdf } from './edf.js';
import { EdfError } from './edf_error.js';
import { parseEdfHeader } from './edf_header.js';

const made = {
  format: 'EDF+C',
  seconds: 2,
  signals: [
    {
      label: 'EEG Fpz-Cz',
      samplingRate: 4,
      valueAt: () => 0,
      unit: 'µV',
      physicalMin: -192.5,
      physicalMax: 192,
      digitalMin: -2048,
      digitalMax: 2047,
      transducer: 'Ag-AgCl electrodes',
      prefilter: 'HP:0.5Hz LP:100Hz',
    },
  ],
} as const;

test('every field of the header is found', () => {
  const patient = 'MCH-0234567 F 02-MAY-1951 Haagse_Harry left handed';
  const recording = 'Startdate 12-AUG-2009 EMG561 BK/JOP Sony._MNC R';
  const header = parseEdfHeader(makeEdf({ ...made, patient, recording }), 'made');
  expect(header).toMatchObject({
    version: 'EDF',
    continuity: 'continuous',
    patient,
    patientIdentification: {
      code: 'MCH-0234567',
      sex: 'F',
      birthdate: '1951-05-02',
      name: 'Haagse Harry',
      additional: 'left handed',
    },
    recording,
    recordingIdentification: {
      startDate: '2009-08-12',
      administrationCode: 'EMG561',
      technician: 'BK/JOP',
      equipment: 'Sony. MNC',
      additional: 'R',
    },
    startDate: '2009-08-12',
    startTime: '16:15:00',
    headerBytes: 768,
    dataRecords: 2,
    recordSeconds: 1,
    recordBytes: 128,
    annotationSignals: [{ position: 1, byteInRecord: 8, bytes: 120 }],
  });
  expect(header.signals[0]).toMatchObject({
    label: 'EEG Fpz-Cz',
    transducer: 'Ag-AgCl electrodes',
    unit: 'µV',
    physicalMin: -192.5,
    physicalMax: 192,
    digitalMin: -2048,
    digitalMax: 2047,
    prefilter: 'HP:0.5Hz LP:100Hz',
    samplesPerRecord: 4,
    samplingRate: 4,
  });
});

test('what an anonymised file leaves out is undefined', () => {
  const header = parseEdfHeader(
    makeEdf({ ...made, patient: 'X X X X', recording: 'Startdate X X X X' }),
    'made',
  );
  for (const part of Object.values(header.patientIdentification!)) expect(part).toBeUndefined();
  for (const part of Object.values(header.recordingIdentification!)) expect(part).toBeUndefined();
  expect(header.startDate).toBe('2009-08-12');
});

test('text is read as UTF-8 or as Latin-1', () => {
  for (const encoding of ['utf8', 'latin1'] as const)
    expect(parseEdfHeader(makeEdf({ ...made, encoding }), 'made').signals[0]!.unit).toBe('µV');
});

describe('a field that lies is refused at its byte', () => {
  // Offsets of a header with two signals.
  test.each([
    ['the size of the header', 184, '1024'],
    ['the number of data records', 236, 'many'],
    ['the number of data records', 236, '-2'],
    ['the duration of a data record', 244, '-1'],
    ['the duration of a data record', 244, '0'],
    ['the duration of a data record', 244, '1e999'],
    ['the number of signals', 252, '0'],
    ['the number of signals', 252, '-5'],
    ['the number of signals', 252, ''],
    ['the physical minimum', 256 + 2 * 104, 'x'],
    ['the physical maximum', 256 + 2 * 112, ''],
    ['the digital minimum', 256 + 2 * 120, '--5'],
    ['the digital maximum', 256 + 2 * 128, '1.2.3'],
    ['the samples a data record', 256 + 2 * 216, '0'],
    ['the samples a data record', 256 + 2 * 216, '1.5'],
  ])('%s, %d, %j', async (_, offset, text) => {
    const file = makeEdf(made);
    file.write(text.padEnd(offset === 252 ? 4 : 8), offset);
    const error = await openEdf(bufferSource(file, 'made')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EdfError);
    expect(error).toMatchObject({ fault: 'header', offset, file: 'made' });
  });

  test.each([
    ['samples that need more than there are', 256 + 2 * 216, '99999999', 'truncated'],
    ['more signals than the file has bytes', 252, '9999', 'truncated'],
    ['another format', 0, 'GIF89a', 'not-edf'],
  ])('%s', async (_, offset, text, fault) => {
    const file = makeEdf(made);
    file.write(text.padEnd(offset === 252 ? 4 : 8), offset);
    await expect(openEdf(bufferSource(file))).rejects.toMatchObject({ fault });
  });

  test('a comma for a point and zero bytes for blanks are no lies', () => {
    const file = makeEdf(made);
    file.write('-192,5\0\0', 256 + 2 * 104);
    expect(parseEdfHeader(file, 'made').signals[0]!.physicalMin).toBe(-192.5);
  });
});
