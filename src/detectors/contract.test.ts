import { describe, expect, it } from 'vitest';
import { makeMail } from '../../test/support/mail.js';
import { makeZip } from '../../test/support/zip.js';
import { BUILT_IN } from './built-in.js';
import { CONTRACT, type ContractSubject } from './contract.js';
import { content } from './content.js';
import { EICAR } from './signatures/eicar.js';
import { signatures } from './signatures/signatures.js';

const subjects: readonly ContractSubject[] = [
  {
    module: content,
    settings: {},
    hit: {
      message: makeMail('See the archive', [
        { name: 'a.zip', bytes: makeZip([{ name: 'x.txt', bytes: Buffer.from('hidden words'), encrypted: true }]) },
      ]),
      status: 'encrypted',
    },
  },
  {
    module: signatures,
    settings: { patterns: [{ name: 'Marker', hex: 'cafebabe00' }] },
    hit: { message: makeMail('See the file', [{ name: 'e.com', bytes: EICAR }]), status: 'infected' },
  },
];

it('every built-in module is held to the contract', () => {
  expect(subjects.map((subject) => subject.module.name)).toEqual(BUILT_IN.map((module) => module.name));
});

for (const subject of subjects) {
  describe(`the module ${subject.module.name}`, () => {
    for (const check of CONTRACT) {
      const applies = check.needsEngine !== true || subject.engine !== undefined;
      if (applies) it(check.name, async () => await check.run(subject));
      else it.skip(`${check.name} (has no engine)`, () => undefined);
    }
  });
}
