// The wire of pages on which orders are paid.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { text } from './text.js';

const URL_LENGTH_MAX = 2_000;
const pageUrl = (description: string, example: string) =>
  text({ max: URL_LENGTH_MAX })
    .refine((url) => /^https?:\/\//i.test(url) && URL.canParse(url), 'must be a URL such as https://shop.example/paid')
    .meta({ description, format: 'uri', examples: [example] });

export const checkoutBody = z.object({
  success_url: pageUrl('Where the browser goes once it is paid.', 'https://shop.example/paid'),
  cancel_url: pageUrl('Where it goes when somebody thinks better of it.', 'https://shop.example/cart').optional(),
});

export const checkoutAnswer = z.object({
  id: z.string().meta({ description: 'The Checkout Session.', examples: ['cs_test_a1'] }),
  url: z.string().meta({
    description: 'Where the browser is to be sent.',
    examples: ['https://checkout.stripe.com/c/pay/cs_test_a1'],
  }),
  expires_at: instantAnswerSchema.nullable().meta({ description: 'Until when it can be paid there.' }),
});
