// The check of statement shapes notices what it is there for.
import { describe, expect, it } from 'vitest';
import { missingCustomers } from '../support/statement-shape.js';

describe('a statement about customers', () => {
  it.each([
    'SELECT * FROM batches WHERE customer_id = $1',
    'SELECT * FROM batches b JOIN entries e USING (customer_id) WHERE b.customer_id = ANY ($1::uuid[]) AND e.customer_id = ANY ($1::uuid[])',
    'UPDATE customers own SET next_seq = 1 WHERE own.id = ANY ($1::uuid[])',
    'INSERT INTO entries (customer_id) SELECT customer_id FROM unnest($1::uuid[]) AS given (customer_id)',
    'SELECT 1 FROM identities WHERE provider = $1 AND external_id = $2',
  ])('may be: %s', (sql) => expect(missingCustomers(sql)).toEqual([]));

  it.each([
    ['SELECT * FROM batches WHERE product_key = $2', ['batches']],
    ['SELECT * FROM batches b JOIN entries e ON e.customer_id = b.customer_id WHERE b.customer_id = $1', ['entries e']],
    ['UPDATE orders o SET status = $1 FROM unnest($2::uuid[]) AS n (id) WHERE o.id = n.id', ['orders o']],
    ['DELETE FROM reservations WHERE id = $1', ['reservations']],
  ])('lacks its customers: %s', (sql, missing) => expect(missingCustomers(sql)).toEqual(missing));
});
