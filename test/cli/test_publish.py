"""pqlctl publish: what is wrong with a file, and where; what it would change; asking; putting it into force."""
import json
import re

PROGRAM = """# Who should be called.
program: rollout   # its name
unit: account
signals:
  usage:
    kind: depth
    event: api_usage
    measure: count
    half_life: 7 days
    points_each: 10
    max_points: 50
    why: "they use it"
qualify: {enter: 15, leave: 5}
motions:
  - {otherwise: true, motion: inside_sales, after: 2 hours, by: 2 days, next_best_action: Call them.}
"""


def company(case):
    case.sql("""CREATE TABLE ev (id bigint PRIMARY KEY, at timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON ev (org, at);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', properties => 'props');
INSERT INTO ev SELECT g, now() - interval '1 hour', 'u' || g, 'acc' || g % 3, 'api_usage', '{}' FROM generate_series(1, 9) AS g""")


def test_publish(case):
    company(case)
    case.write('p.yaml', PROGRAM)
    case.run('publish', 'p.yaml', '--check').expect(0, out='^rollout: no problems$')
    case.run('publish', 'p.yaml').expect(2, err='--yes')
    case.run('publish', 'p.yaml', '--yes', '--note', 'first').expect(
        0, out=[r"Program rollout, which is new: of today's 0 PQLs 0 leave, 3 enter", 'Published version 1 of rollout: shadow'], err='HINT: It scores')
    assert case.sql("SELECT note, document->'signals'->'usage'->>'points_each' FROM pql.program") == 'first|10'
    case.write('p.yaml', PROGRAM.replace('enter: 15', 'enter: 45'))
    case.run('publish', 'p.yaml', '--diff').expect(0, out='45')
    said = case.run('publish', 'p.yaml', '--diff', '--json').expect(0).json()
    assert said['since_version'] == 1 and said['changes'][0]['path'] == 'qualify.enter', said
    assert case.sql('SELECT count(*) FROM pql.program') == '1'
    case.write('p.yaml', PROGRAM.replace('enter: 15', 'enter: 14'))
    said = case.run('publish', 'p.yaml', '--yes', '--promote', '--standing', 'all', '--json').expect(0).json()
    assert (said['version'], said['status']) == (2, 'live'), said
    assert case.sql('SELECT count(*) FROM pql.routing') == '3'
    case.run('publish', '-', '--check', stdin=PROGRAM).expect(0)
    case.run('publish', '-', '--check', stdin=json.dumps(json.loads(case.sql('SELECT document FROM pql.program LIMIT 1')))).expect(0)


def test_problems_like_a_compiler(case):
    company(case)
    case.write('p.yaml', PROGRAM.replace('half_life: 7 days', 'half_live: 7 days').replace('unit: account', 'unit: acount'))
    ran = case.run('publish', 'p.yaml', '--yes').expect(1, out=[r'^p\.yaml:3:1: error: unit: ', r'^  unit: acount\n  \^$', r'^p\.yaml:9:5: error: signals\.usage\.half_live', 'hint: '])
    said = case.run('publish', 'p.yaml', '--json').expect(1).json()
    assert {(p['line'], p['column']) for p in said['problems']} >= {(3, 1), (9, 5)}, ran.out
    # The same places in JSON.
    case.write('p.json', '{"program": "x",\n "unit": "acount",\n "signals": {"a": {\n    "half_live": 1}},\n "qualify": {"enter": 5}}')
    case.run('publish', 'p.json', '--check').expect(1, out=[r'^p\.json:2:2: error: unit', r'^p\.json:4:5: error: signals\.a\.half_live'])
    assert case.sql('SELECT count(*) FROM pql.program') == '0'


def test_files_that_cannot_be_read(case):
    def said(text, name='p.yaml'):
        case.write(name, text)
        return case.run('publish', name, '--check').expect(2).out.splitlines()[0]
    assert said(PROGRAM + 'unit: user\n') == 'p.yaml:16:1: error: "unit" is there twice'
    assert said('{"a": 1,\n "a": 2}') == 'p.yaml:2:2: error: "a" is there twice'
    assert said('{"a": 1,\n "b": }', 'p.json').startswith('p.json:2:7: error: no JSON: ')
    assert said('a: [1, 2\nb: 3').startswith('p.yaml:'), said('a: [1')
    assert said('a: 1\n---\nb: 2\n') == 'p.yaml:3:1: error: the file has more than one document'
    assert said('') == 'p.yaml:1:1: error: the file is empty'
    assert said('- 1\n') == 'p.yaml:1:1: error: the document must be an object'
    assert said('a: .inf') == 'p.yaml:1:4: error: JSON has no .inf'
    assert said('a: !!binary x').startswith('p.yaml:1:4: error: the tag ')
    assert said('a: &x [*x]') == 'p.yaml:1:4: error: nested too deeply'
    assert said('\n'.join(f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9) if i else 1}]' for i in range(9))).endswith('error: too large')
    case.run('publish', 'nothing.yaml').expect(2, err="can't read nothing.yaml")
    case.run('publish').expect(2)


def test_terminal(case):
    company(case)
    case.write('p.yaml', PROGRAM)
    ran = case.terminal('publish', 'p.yaml')
    ran.wait_for(r'3 enter.*Publish it\? \[y/N\] ')
    ran.send('n\n')
    assert ran.end() == 1 and 'Nothing was published.' in ran.plain()
    ran = case.terminal('publish', 'p.yaml', '--promote')
    ran.wait_for(r'Publish and promote it\? \[y/N\] ')
    ran.send('y\n')
    assert ran.end() == 0 and 'Published version 1 of rollout: live' in ran.plain()
    case.write('p.yaml', PROGRAM.replace('depth', 'dept'))
    ran = case.terminal('publish', 'p.yaml')
    assert ran.end() == 1 and '\x1b[31merror: ' in ran.shown and re.search('^1 problem$', ran.plain(), re.M), ran.plain()
    ran = case.terminal('publish', 'p.yaml', env={'NO_COLOR': '1'})
    assert ran.end() == 1 and '\x1b[31m' not in ran.shown
    case.write('p.yaml', PROGRAM)
    ran = case.terminal('publish', 'p.yaml')
    ran.wait_for(r'\[y/N\] ')
    ran.interrupt()
    assert ran.end() == 130


def test_refused_by_the_database(case):
    company(case)
    case.write('p.yaml', PROGRAM)
    case.sql(f'CREATE ROLE {case.database}_reader LOGIN; GRANT USAGE ON SCHEMA pql TO {case.database}_reader')
    try:
        case.run('publish', 'p.yaml', '--yes', '-U', f'{case.database}_reader').expect(4, err=r'permission denied.*\(42501\)')
    finally:
        case.sql(f'DROP OWNED BY {case.database}_reader; DROP ROLE {case.database}_reader')
