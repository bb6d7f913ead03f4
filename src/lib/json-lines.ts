// On which lines of a JSON text the elements of its lists begin, for whoever has to say where one of them is at fault.

/** The line, from 1, of each element of the lists that are members of the text's object, by member. Precondition: the text is a JSON object. */
export function linesOfElements(text: string): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  let list: number[] = [];
  let [line, depth, name, isAwaited] = [1, 0, '', false];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\n' || (character === '\r' && text[at + 1] !== '\n')) line += 1;
    if (/\s/.test(character)) continue;
    const isInList = depth === 2 && list === lines.get(name);
    if (isInList && isAwaited && character !== ']') {
      list.push(line);
      isAwaited = false;
    }
    if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1) name = JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth === 2) list = [];
      if (depth === 2 && character === '[') lines.set(name, list);
      isAwaited ||= depth === 2 && character === '[';
    } else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',' && isInList) isAwaited = true;
  }
  return lines;
}

/** Where the string ends that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
