"""The manual page, the completion and doc/pqlctl.md name every subcommand and every option."""
import re
import shutil
import subprocess

from harness import Skip, top


def commands(case, *before):
    """Each subcommand with its long options, from its help."""
    text = case.run(*before, '--help').expect(0).out
    if '\nSubcommands:\n' not in text:
        return {}
    found = {}
    for name in re.findall(r'^  (\S+)', text.split('\nSubcommands:\n')[1], re.M):
        help_of = case.run(*before, name, '--help').expect(0).out.split('\nOf all subcommands')[0]
        options = set(re.findall(r'^  (?:-\S,)?(--[a-z-]+)', help_of, re.M)) - {'--help'}
        found[' '.join([*before, name])] = options
        found.update(commands(case, *before, name))
    return found


def test_manual_page(case):
    page = case.run('man').expect(0).out.replace('\\-', '-')
    known = commands(case)
    assert {'import', 'publish', 'simulate', 'version', 'completion', 'man'} <= set(known), known
    for command, options in known.items():
        section = re.search(rf'^\.SS {command}\n(.*?)(?=^\.SS|^\.SH)', page, re.M | re.S)
        assert section, f'the manual page has no section {command}'
        missing = {o for o in options if f'\\fB{o}\\fR' not in section[1]}
        assert not missing, f'{command}: {missing}'
    if not shutil.which('groff'):
        raise Skip('there is no groff')
    ran = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-z'], input=case.run('man').out, capture_output=True, text=True)
    assert ran.stderr == '', ran.stderr


def test_help_is_for_people(case):
    """What an option's value may be is said in words, and not by the parser's types."""
    for command in ['', *commands(case)]:
        text = case.run(*command.split(), '--help').expect(0).out
        assert not re.search(r'\b(U?INT|FLOAT|POSITIVE)\b|:FILE|\(\dx\)|\bREQUIRED\b', text), text
    case.run('deliver', '--help').expect(0, out=[r'--parallel N +At most so many posts at once, 1 to 256 \(8\)', r'--ca-file FILE', r'^Usage: pqlctl deliver \[OPTIONS\] \[DESTINATION\.\.\.\]$'])
    case.run('backtest', '--help').expect(0, out=r'^Usage: pqlctl backtest \[OPTIONS\] PROGRAM\.\.\.$')
    case.run('man').expect(0, out=r'parallel\\fR \\fIN\\fR\nAt most so many posts at once, 1 to 256 \(8\)')


def test_documentation(case):
    doc = (top / 'doc/pqlctl.md').read_text()
    for command, options in commands(case).items():
        section = re.search(rf'^## {command.split()[0]}\n(.*?)(?=^## |\Z)', doc, re.M | re.S)
        assert section, f'doc/pqlctl.md has no section {command}'
        missing = {o for o in options if o not in section[1]}
        assert not missing, f'doc/pqlctl.md, {command}: {missing}'


def test_bash_completion(case):
    script = case.run('completion', 'bash').expect(0).out
    case.write('completion.bash', script)

    def complete(*words):
        line = ' '.join(words)
        code = f'''source ./completion.bash; COMP_WORDS=({' '.join(f"'{w}'" for w in words)}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'
_pqlctl 2>/dev/null; printf '%s\\n' "${{COMPREPLY[@]}}"'''
        return subprocess.run(['bash', '-c', code], cwd=case.directory, capture_output=True, text=True, check=True).stdout.split()
    assert complete('pqlctl', 'im') == ['import']
    assert '--dry-run' in complete('pqlctl', 'import', '--') and '--dbname' in complete('pqlctl', 'import', '--')
    assert complete('pqlctl', 'import', '--cre') == ['--create']
    assert complete('pqlctl', '--json', 'publish', '--ch') == ['--check']
    assert complete('pqlctl', 'import', '--table', '') == []
    assert complete('pqlctl', '-d', 'report', 'publish', '--ch') == ['--check']  # a database of that name
    assert complete('pqlctl', 'completion', '') == ['bash', 'zsh'] or 'zsh' in complete('pqlctl', 'completion', '')
    known = commands(case)
    assert set(known) - {c for c in known if ' ' in c} <= set(complete('pqlctl', ''))
    files, _, others = script.partition('compopt -o default')
    assert re.search(r'\|--secrets\b', files.splitlines()[-2]) and '--format' not in files and '--format' in others.splitlines()[2], script
    subprocess.run(['bash', '-n'], input=script, text=True, check=True)
    case.run('completion', 'zsh').expect(0, out='#compdef pqlctl')
    case.run('completion', 'fish').expect(2)
