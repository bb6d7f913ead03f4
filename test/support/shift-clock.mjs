// Loaded before a process under test: its clock is right until SIGUSR2, then apart by TEST_CLOCK_SHIFT_MS until the next one.
const RealDate = Date;
const shiftMs = Number(process.env.TEST_CLOCK_SHIFT_MS);
let isShifted = false;

const now = () => RealDate.now() + (isShifted ? shiftMs : 0);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});

process.on('SIGUSR2', () => {
  isShifted = !isShifted;
});
