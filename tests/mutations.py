"""Small faults that can be put into C and SQL, one at a time: where in a text, and what instead."""

import bisect
import random
import re
from dataclasses import dataclass

C_KINDS, SQL_KINDS = {}, {}

# Clean-up, durability and messages: what is lost with them no quick test can see.
UNTESTED_CALLS = re.compile(r'\b\w*(free|clear|close|fsync|unref|munmap|memset|memzero|log_\w+|progress|set_config|assert\w*|debug|notice)\b')
OTHER = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==', '=': '<>', '<>': '=', '&&': '||', '||': '&&', 'and': 'or',
         'or': 'and', '+': '-', '-': '+', 'true': 'false', 'false': 'true', 'min': 'max', 'max': 'min', 'least': 'greatest',
         'greatest': 'least', 'bool_or': 'bool_and', 'bool_and': 'bool_or', 'is null': 'is not null', 'is not null': 'is null',
         'is distinct from': 'is not distinct from', 'is not distinct from': 'is distinct from'}


@dataclass(frozen=True)
class Fault:
    """text[start:end] of a file is `instead`."""
    file: str
    line: int
    kind: str
    start: int
    end: int
    instead: str

    def into(self, text):
        return text[:self.start] + self.instead + text[self.end:]


def kind(kinds, name):
    def declare(function):
        kinds[name] = function
        return function
    return declare


def found(pattern, instead, group=1):
    """A kind of fault: each match's group, and what the function says of the match (None: no fault)."""
    compiled = re.compile(pattern, re.M)

    def sites(text):
        for match in compiled.finditer(text):
            other = instead(match)
            if other is not None and other != match.group(group):
                yield match.start(group), match.end(group), other
    return sites


def other(match):
    return OTHER[match.group(1)]


def nothing(_match):
    return ''


def next_number(match):
    return str(int(match.group(1)) + 1)


def balanced(text):
    return text.count('(') == text.count(')') and text.count('[') == text.count(']')


def swapped(match):
    return None if match.group(2) == match.group(3) else f'{match.group(3)}, {match.group(2)}'


def dropped(instead):
    return lambda match: instead if balanced(match.group(1)) and not UNTESTED_CALLS.search(match.group(1)) else None


kind(C_KINDS, 'comparison')(found(r' (<=|>=|==|!=|<|>) ', other))
kind(C_KINDS, 'logic')(found(r' (&&|\|\|)(?=[ \n])', other))
kind(C_KINDS, 'negation')(found(r'(?<![\w)\]])(!)(?=[\w(])', nothing))
kind(C_KINDS, 'off by one')(found(r' ([+-])(?= 1\b)', other))
# Not the size of what is declared, nor which number below zero tells of an error: another is right, too.
kind(C_KINDS, 'constant')(found(r'(?<![\w.\[])(?<!return -)(\d+)u?(?![\w.\]])', next_number))
kind(C_KINDS, 'boolean')(found(r'(?:return|=) (true|false)\b', other))
kind(C_KINDS, 'dropped statement')(found(r'^ {4,}([a-z_][\w>.\-\[\]]*(?:\([^\n]*\)| [|&+\-]?= [^\n]*);)$', dropped('(void)0;')))
kind(C_KINDS, 'swapped arguments')(
    found(r'^ +.*?\b(?!if|while|for|sizeof|return|switch)\w+\(((\w+), (\w+))(?=[,)])',
          lambda m: None if m.group(2) == m.group(3) else f'{m.group(3)}, {m.group(2)}'))
kind(C_KINDS, 'dropped jump')(found(r'^ +(break|continue);$', lambda _m: '(void)0'))

kind(SQL_KINDS, 'comparison')(found(r' (<=|>=|<>|=|<|>) ', other))
kind(SQL_KINDS, 'logic')(found(r'(?<!create )\b(and|or)\b(?! replace)', other))
kind(SQL_KINDS, 'negation')(found(r'(?<!is )(?<!if )\b(not )(?!null|distinct)(?=[\w(])', nothing))
kind(SQL_KINDS, 'null')(found(r'\b(is (?:not )?(?:null|distinct from))\b', other))
kind(SQL_KINDS, 'off by one')(found(r' ([+-])(?= 1\b)', other))
kind(SQL_KINDS, 'constant')(found(r'(?<![\w.$])(\d+)(?![\w.])', next_number))
kind(SQL_KINDS, 'boolean')(found(r'(?<!default )\b(true|false)\b', other))
kind(SQL_KINDS, 'union')(found(r'\bunion( all)\b', nothing))
kind(SQL_KINDS, 'aggregate')(found(r'\b(min|max|least|greatest|bool_or|bool_and)(?=\()', other))
kind(SQL_KINDS, 'order')(found(r'\border by [^\n();,]*?[\w.]+( desc)?(?=[\s),;])', lambda m: '' if m.group(1) else None))
kind(SQL_KINDS, 'order upwards')(found(r'\border by ([\w.]+)(?! desc)(?=[\s),;])', lambda m: m.group(1) + ' desc'))
kind(SQL_KINDS, 'limit')(found(r'\blimit (\d+)\b', next_number))
kind(SQL_KINDS, 'dropped condition')(found(r'^( +and [^\n]*[^\n;])$', dropped('')))
kind(SQL_KINDS, 'dropped condition inside')(
    found(r'(?<!between)(?<=\S)( and (?:[^()\n]|\([^()\n]*\))+?)(?= and |\)|;|\n| or | then| loop| order by| group by)', dropped('')))
kind(SQL_KINDS, 'left join')(found(r'\b(left )join\b', nothing))
kind(SQL_KINDS, 'distinct')(found(r'(?:select|\w\()\s?(distinct )(?!on\b)', nothing))
kind(SQL_KINDS, 'branches')(found(r'\bthen ((\w+|\s*) else (\w+))(?= end)', lambda m: None if m.group(2) == m.group(3)
                                  else f'{m.group(3)} else {m.group(2)}'))
kind(SQL_KINDS, 'swapped arguments')(found(r'(?<!values )(?<!into)\b(?!in|values|key|on|by|array)\w+\((([\w.]+), ([\w.]+))(?=[,)])', swapped))
kind(SQL_KINDS, 'exists')(found(r'(?<!not )(?<!if )\b(exists)(?= \()', lambda _m: 'not exists'))
kind(SQL_KINDS, 'dropped statement')(
    found(r'^ {4,}((?:perform|delete from|update|insert into|\w+ :=)\b[^\n]*;)$', dropped('null;')))


def blank(match):
    return re.sub(r'[^\n]', ' ', match.group(0))


def masked(path, text):
    """The text with comments, strings and what is not looked at blank, each character where it was."""
    if path.endswith('.sql'):
        text = re.sub(r"--[^\n]*|'(?:[^']|'')*'", blank, text)
        return re.sub(r'^(?:comment on|grant|revoke|create (?:temporary )?(?:table|index))\b[^;]*;', blank, text, flags=re.M)
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)
    return re.sub(r'^[ \t]*#(?!define)(?:\\\n|[^\n])*', blank, text, flags=re.M)


def faults_of(path, text):
    """Every fault that can be put into a file, by kind."""
    mask = masked(path, text)
    lines = [0] + [m.end() for m in re.finditer('\n', text)]
    for name, sites in (SQL_KINDS if path.endswith('.sql') else C_KINDS).items():
        for start, end, instead in sites(mask):
            yield Fault(path, bisect.bisect_right(lines, start), name, start, end, instead)


class Faults:
    """The faults of many files, drawn by a seed: which one has a number depends on the seed and the files alone."""

    def __init__(self, texts):
        self.languages = ({}, {})
        for path in sorted(texts):
            for fault in faults_of(path, texts[path]):
                self.languages[path.endswith('.sql')].setdefault(fault.kind, []).append(fault)
        self.languages = [kinds for kinds in self.languages if kinds]

    def of_line(self, path, line):
        return [f for kinds in self.languages for faults in kinds.values() for f in faults if f.file == path and f.line == line]

    def drawn(self, seed, number):
        """C and SQL by turns, every kind as often as others however few places it has."""
        chance = random.Random(f'{seed}/{number}')
        kinds = self.languages[number % len(self.languages)]
        return chance.choice(kinds[chance.choice(sorted(kinds))])
