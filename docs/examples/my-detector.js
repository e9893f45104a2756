// A detector of your own. Copy this file beside gatepost.yaml and name it there:
//
//   detectors:
//     content: {}
//     signatures: {}
//     my-detector: { module: ./my-detector.js, words: [confidential], timeout: 5s }
//
// It reports; rules decide what is done about it:
//
//   on:
//     external: { found: { action: reject, notify: [general] } }
//
// docs/detectors.md tells the rest.

/** @param {{ z: typeof import('zod').z }} tools so that the file needs no packages of its own */
export default function myDetector({ z }) {
  return {
    // Your keys in gatepost.yaml. A strict object makes a mistyped key an error with its line and a suggestion.
    settings: z.strictObject({ words: z.array(z.string().min(1)).min(1) }),

    // Every status that you report, besides clean, error, timeout and limit, which all modules have.
    statuses: ['found'],

    // Called once in each scanning thread.
    create({ words }) {
      const needles = words.map((word) => word.toLowerCase());
      return {
        // Called for each message. An exception becomes an `error` finding, being late a `timeout` finding.
        async inspect({ message, signal }) {
          const findings = [];
          const { text } = await message.text();
          for (const word of needles) {
            if (`${message.subject}\n${text}`.toLowerCase().includes(word))
              findings.push({ status: 'found', name: word });
          }
          for (const object of message.objects) {
            // Look now and then whether there is still time.
            signal.throwIfAborted();
            const bytes = object.content();
            if (bytes === undefined) continue;
            const word = needles.find((needle) => bytes.includes(needle));
            if (word !== undefined)
              findings.push({ status: 'found', name: word, object: object.path, size: object.size });
          }
          return findings;
        },
      };
    },
  };
}
