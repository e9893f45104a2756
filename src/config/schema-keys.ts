import type { z } from 'zod';

/** The keys that a schema knows at a path, over all branches of unions. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  return [
    ...new Set(
      schemasAt(schema, path).flatMap((s) =>
        s._zod.def.type === 'object' ? Object.keys((s as z.core.$ZodObject)._zod.def.shape) : [],
      ),
    ),
  ];
}

/** What may stand at a path: the schemas of all branches of unions. */
export function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType[] {
  let level = [schema];
  for (const step of path) level = level.flatMap((s) => inner(s, step));
  return level.flatMap(unwrap);
}

function inner(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  return unwrap(schema).flatMap((s): z.core.$ZodType[] => {
    switch (s._zod.def.type) {
      case 'object': {
        const { shape, catchall } = (s as z.core.$ZodObject)._zod.def;
        const child = Object.hasOwn(shape, String(step)) ? shape[String(step)] : catchall;
        return child === undefined ? [] : [child];
      }
      case 'record':
        return [(s as z.core.$ZodRecord)._zod.def.valueType];
      case 'array':
        return typeof step === 'number' ? [(s as z.core.$ZodArray)._zod.def.element] : [];
      default:
        return [];
    }
  });
}

/** Looks through defaults, optionals, pipes, lazies and unions. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  switch (schema._zod.def.type) {
    case 'union':
      return (schema as z.core.$ZodUnion)._zod.def.options.flatMap(unwrap);
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
    case 'nonoptional':
      return unwrap((schema as z.core.$ZodOptional)._zod.def.innerType);
    case 'pipe': {
      const { in: input, out } = (schema as z.core.$ZodPipe)._zod.def;
      return input._zod.def.type === 'transform' ? unwrap(out) : unwrap(input);
    }
    case 'lazy':
      return unwrap((schema as z.core.$ZodLazy)._zod.def.getter());
    default:
      return [schema];
  }
}
