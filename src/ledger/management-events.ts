// What is told of management: of records of the audit trail (DOMAIN 3.19). Everything else of it is silent.
import type { AuditRecord } from './audit-record.js';
import type { ProductFeature } from './catalog-entities.js';
import type { EventType, Told } from './event-types.js';

export function tellRecord(record: AuditRecord): Told[] {
  switch (record.action) {
    case 'product.updated':
      return [...tellSwitch(record, 'product', { productKey: record.subject }), ...tellDearer(record)];
    case 'offer.updated':
      return tellSwitch(record, 'offer', { sku: record.subject });
    case 'endpoint.updated':
      return tellDisabled(record);
    case 'payment_event.updated':
      return tellQuarantined(record);
    default:
      return [];
  }
}

/** That something is retired, or comes back. */
function tellSwitch({ id, before, after }: AuditRecord, kind: 'product' | 'offer', data: Told['data']): Told[] {
  if (before?.isActive === after?.isActive) return [];
  return [tell(id, after?.isActive ? `${kind}.activated` : `${kind}.deactivated`, data)];
}

/** That features of a product cost more, or are gone. */
function tellDearer({ id, subject, before, after }: AuditRecord): Told[] {
  const [known, now] = [before, after].map((product) => (product?.features ?? []) as ProductFeature[]);
  const features = (known ?? []).flatMap(({ feature, unitCost: unitCostBefore }) => {
    const unitCost = now?.find((own) => own.feature === feature)?.unitCost ?? null;
    return unitCost === null || unitCost > unitCostBefore ? [{ feature, unitCostBefore, unitCost }] : [];
  });
  return features.length === 0 ? [] : [tell(id, 'product.changed', { productKey: subject, features })];
}

function tellDisabled({ id, subject, before, after }: AuditRecord): Told[] {
  if (!before?.isEnabled || typeof after?.disabledReason !== 'string') return [];
  return [tell(id, 'webhook_endpoint.disabled', { endpointId: subject, reason: after.disabledReason })];
}

function tellQuarantined({ id, subject, before, after }: AuditRecord): Told[] {
  if (before?.status === after?.status || after?.status !== 'quarantined') return [];
  const { status: _, ...event } = after;
  return [tell(id, 'payment.quarantined', { inboxId: subject, ...event })];
}

function tell(subjectId: string, type: EventType, data: Told['data']): Told {
  return { type, subjectId, operationId: null, data };
}
